"""The bucket of surfaces, in the home region: written by probes of every region, read by the judge."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from lookout import settings
from lookout.errors import StoreError
from lookout.store.aws import client


def put_surface(home: str, bucket: str, address: str, data: bytes) -> None:
    """Store a packed surface. Raises StoreError."""
    key = settings.surface_key(address)
    try:
        client("s3", home).put_object(
            Bucket=bucket, Key=key, Body=data, ContentType="application/json", ContentEncoding="gzip"
        )
    except (ClientError, BotoCoreError) as error:
        raise StoreError(f"s3://{bucket}/{key} cannot be written: {_why(error)}") from error


def get_surface(home: str, bucket: str, address: str) -> bytes:
    """The packed surface of an address. Raises StoreError where there is none, or it cannot be read."""
    key = settings.surface_key(address)
    try:
        body: bytes = client("s3", home).get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise StoreError(f"s3://{bucket}/{key} cannot be read: {_why(error)}") from error
    return body


def _why(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "error"))
    return type(error).__name__
