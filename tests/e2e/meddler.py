"""Stands between deployed functions and DynamoDB, and throttles, fails or kills where a test says so.

A function is led here by `AWS_ENDPOINT_URL_DYNAMODB`; what it asks is passed on to the local AWS word for word.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lookout import settings

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"


class Fate(Enum):
    """What becomes of a call."""

    PASSED = "passed"
    THROTTLED = "throttled"
    """Refused for lack of capacity."""
    FAILED = "failed"
    """Refused by an error of the service."""
    UNANSWERED = "unanswered"
    """Done, and the connection breaks before the answer."""
    DROPPED = "dropped"
    """Not done, and never answered."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `writes` is what it would write: round, late (the mark of such a round), state, watch ..."""

    operation: str
    writes: str


def call(target: str, body: dict[str, Any]) -> Call:
    """The call of an `X-Amz-Target`."""
    operation, item = target.rsplit(".", 1)[1], body
    if operation == "TransactWriteItems":
        item = body["TransactItems"][0]["Put"]
    if operation not in ("PutItem", "TransactWriteItems"):
        return Call(operation, "")
    return Call(operation, item["Item"].get("kind", item["Item"]["pk"])["S"])


Decide = Callable[[Call], Fate]
ERRORS = {
    Fate.THROTTLED: (400, "ProvisionedThroughputExceededException"),
    Fate.FAILED: (500, "InternalServerError"),
}


class Meddler(ThreadingHTTPServer):
    """`decide` says what becomes of a call, `after` is run when it was done and not yet answered."""

    daemon_threads = True

    def __init__(self, port: int, decide: Decide) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = port
        self.decide = decide
        self.after: Callable[[Call], None] = lambda _: None
        self.fates: Counter[tuple[str, Fate]] = Counter()
        """By what was to be written."""
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may be dead by now: that is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Meddler

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = call(self.headers["x-amz-target"], json.loads(body))
        with self.server.lock:
            fate = self.server.decide(asked)
            self.server.fates[asked.writes, fate] += 1
        if fate in ERRORS:
            status, name = ERRORS[fate]
            said = {"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": "as the test wants it"}
            self._answer(status, [("content-type", "application/x-amz-json-1.0")], json.dumps(said).encode())
        if fate in ERRORS or fate is Fate.DROPPED:
            return
        onward = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        onward.request("POST", self.path, body, dict(self.headers.items()))
        answer = onward.getresponse()
        content = answer.read()
        onward.close()
        self.server.after(asked)
        if fate is Fate.PASSED:
            self._answer(answer.status, answer.getheaders(), content)

    def _answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def meddler(
    world: Any, functions: Iterable[tuple[str, str]], decide: Decide = lambda _: Fate.PASSED
) -> Iterator[Meddler]:
    """Lead the deployed `functions` (name, region) through a Meddler for a while."""
    server = Meddler(world.aws.port, decide)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    before: list[tuple[Any, str, dict[str, str]]] = []
    try:
        for function, region in functions:
            client, name = world.client("lambda", region), settings.function_name(function)
            variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            before.append((client, name, variables))
            changed = {"Variables": {**variables, ENDPOINT: server.url}}
            client.update_function_configuration(FunctionName=name, Environment=changed)
        yield server
    finally:
        for client, name, variables in before:
            client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        server.shutdown()
        thread.join()
        server.server_close()
