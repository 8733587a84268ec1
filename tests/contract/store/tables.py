"""The tables of one home, empty, for as long as a test needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from lookout import settings
from lookout.store import Store

TABLES = (settings.SERVERS_TABLE, settings.ROUNDS_TABLE, settings.HISTORY_TABLE, settings.INCIDENTS_TABLE)


@contextmanager
def tables(home: str) -> Iterator[Store]:
    """A store over tables of its own."""
    client = boto3.client("dynamodb", region_name=home)
    for table in TABLES:
        keys = ["slug"] if table == settings.SERVERS_TABLE else ["pk", "sk"]
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip(keys, ("HASH", "RANGE"), strict=False)],
        )
    yield Store(home)
    for table in TABLES:
        client.delete_table(TableName=table)
    client.close()
