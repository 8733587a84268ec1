"""Every table and every query. Nobody else imports pynamodb or boto3.

`Store` is the database; `lookout.store.aws` the few other AWS calls (secrets, objects, queues, invocations).
"""

from lookout.store.database import AppliedChanges, Store, notice_from_image
from lookout.store.deliveries import Delivery

__all__ = ["AppliedChanges", "Delivery", "Store", "notice_from_image"]
