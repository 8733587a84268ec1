"""Every table and every query. Nobody else imports pynamodb or boto3.

`Store` is the database; `lookout.store.aws` the few other AWS calls (secrets, objects, queues, invocations).
"""

from lookout.store.database import AppliedChanges, Delivery, Store, notice_from_image

__all__ = ["AppliedChanges", "Delivery", "Store", "notice_from_image"]
