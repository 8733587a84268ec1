"""The tables of a deployed Lookout, opened by a command with the caller's own credentials; errors as messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lookout.errors import LookoutError

if TYPE_CHECKING:
    from lookout.config.model import Server, Site
    from lookout.store import Store


@contextmanager
def aws_errors(home: str) -> Iterator[None]:
    """What AWS refuses within, as a LookoutError."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    try:
        yield
    except PynamoDBException as error:
        # It says what it could not do; why is in the answer it had, which it does not always repeat.
        why = error.cause_response_message or ""
        said = str(error) if why in str(error) else f"{error} ({error.cause_response_code}: {why})"
        raise LookoutError(f"Lookout's tables in {home} cannot be read or written: {said}") from error
    except (BotoCoreError, ClientError) as error:
        raise LookoutError(f"Lookout's tables in {home} cannot be read or written: {error}") from error


@contextmanager
def open_tables(home: str) -> Iterator[tuple[Store, Site, list[Server]]]:
    """The store, the site and its servers. Raises LookoutError where AWS refuses, or nothing is deployed in `home`."""
    from lookout import store as stores

    with aws_errors(home):
        store = stores.Store(home)
        site, servers = store.roster()
        if site is None:
            raise LookoutError(f"no Lookout is deployed in {home}: run `make deploy` (or `make up`) first")
        yield store, site, servers
