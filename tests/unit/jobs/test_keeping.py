"""A round is stored, known or waiting, and never none of them: whatever the home region does to a write."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from lookout.errors import FormatError
from lookout.history.round import Round
from lookout.jobs.keeping import FIRST_S, LONGEST_S, MESSAGE_LIMIT, Kept, drain, keep, message, parse, rest_s
from lookout.probe.result import ProbeResult, Status
from lookout.store.outage import outage
from pynamodb.exceptions import PutError, TransactWriteError

MINUTE = 1_790_000_040
NOW = MINUTE + 700
ROUND = Round("s000", MINUTE, "eu-west-1", (ProbeResult("a", Status.UP, MINUTE * 1000),))


def answered(code: str) -> PutError:
    return PutError("Failed to put item", ClientError({"Error": {"Code": code, "Message": "-"}}, "PutItem"))


OUTAGES = {
    "throttled": answered("ProvisionedThroughputExceededException"),
    "throttled on demand": answered("ThrottlingException"),
    "over a limit": answered("RequestLimitExceeded"),
    "broken": answered("InternalServerError"),
    "away": answered("ServiceUnavailable"),
    "refused": answered("AccessDeniedException"),
    "without its table": answered("ResourceNotFoundException"),
    "unreachable": PutError("-", EndpointConnectionError(endpoint_url="https://dynamodb")),
    "slow to connect": PutError("-", ConnectTimeoutError(endpoint_url="https://dynamodb")),
    "slow to answer": PutError("-", ReadTimeoutError(endpoint_url="https://dynamodb")),
    "unreachable without pynamodb": EndpointConnectionError(endpoint_url="https://dynamodb"),
    "too slow": TimeoutError(),
}
MISTAKES = {
    "an item too large": answered("ValidationException"),
    "an item that is none": answered("SerializationException"),
    "a bug": ValueError("bug"),
    "a damaged record": FormatError("damaged"),
}


class Home:
    """The home region: what it answers next, then that it stores."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.stored: list[Round] = []
        self.tried = 0

    def put(self, item: Round) -> bool:
        self.tried += 1
        if self.answers:
            raise self.answers.pop(0)
        if item in self.stored:
            return False
        self.stored.append(item)
        return True


def record(item: Round, attempt: int = 1, sent: int = MINUTE, name: str = "m") -> dict[str, Any]:
    return {
        "messageId": f"{name}{item.minute}",
        "receiptHandle": f"handle {item.minute}",
        "body": message(item),
        "attributes": {"ApproximateReceiveCount": str(attempt), "SentTimestamp": str(sent * 1000)},
    }


@pytest.mark.parametrize("error", OUTAGES.values(), ids=OUTAGES)
def test_an_outage_makes_a_round_wait(error: Exception) -> None:
    home, queue = Home(error), list[str]()
    assert keep(ROUND, home.put, queue.append, 5) is Kept.WAITING
    assert home.stored == []
    assert [parse(body) for body in queue] == [ROUND]


@pytest.mark.parametrize("error", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_of_ours_is_raised_and_nothing_waits(error: Exception) -> None:
    queue: list[str] = []
    with pytest.raises(type(error)) as raised:
        keep(ROUND, Home(error).put, queue.append, 5)
    assert raised.value is error
    assert queue == []


def test_what_is_stored_or_known_does_not_wait() -> None:
    home, queue = Home(), list[str]()
    assert keep(ROUND, home.put, queue.append, 5) is Kept.STORED
    assert keep(ROUND, home.put, queue.append, 5) is Kept.KNOWN
    assert queue == []


def test_a_write_that_hangs_is_not_waited_for_and_does_no_harm_when_it_ends() -> None:
    go, done = threading.Event(), threading.Event()
    home, queue = Home(), list[str]()

    def put(item: Round) -> bool:
        go.wait(10)
        home.put(item)
        done.set()
        return True

    assert keep(ROUND, put, queue.append, 0.05) is Kept.WAITING
    go.set()
    assert done.wait(10)
    found = drain([record(parse(queue[0]))], home.put, lambda *_: None, NOW, lambda: 0.5)
    assert (found.known, found.kept, home.stored) == (1, (), [ROUND])


def test_where_neither_takes_it_the_queues_error_is_raised() -> None:
    def wait(_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "-"}}, "SendMessage")

    with pytest.raises(ClientError, match="SendMessage"):
        keep(ROUND, Home(OUTAGES["throttled"]).put, wait, 5)


def test_other_writes_of_the_store_fail_alike() -> None:
    assert outage(TransactWriteError("-", answered("ThrottlingException").cause))
    assert not outage(TransactWriteError("-", answered("ValidationException").cause))


def test_the_largest_round_fits_one_message() -> None:
    servers = 40

    def text(seed: int) -> str:
        """A kilobyte that hardly compresses."""
        return "".join(chr(0x4E00 + (seed * 7919 + i * i * 31 + i * seed) % 20000) for i in range(340))

    results = tuple(
        ProbeResult(f"server-{i}", Status.DOWN, MINUTE * 1000 + i, message=text(i), surface_address=f"{i:064x}")
        for i in range(servers)
    )
    whole = Round("s000", MINUTE, "ap-southeast-1", results)
    assert len(message(whole)) < MESSAGE_LIMIT / 3
    assert parse(message(whole)).results[0].message == results[0].message


@pytest.mark.parametrize("body", ["not base64!", "AAAA", ""])
def test_a_damaged_message_says_so(body: str) -> None:
    with pytest.raises(FormatError):
        parse(body)


def minutes(count: int) -> list[Round]:
    return [Round("s000", MINUTE + 60 * i, "eu-west-1", ROUND.results) for i in range(count)]


def test_what_waited_is_stored_in_any_order_and_twice_is_once() -> None:
    home, rounds = Home(), minutes(3)
    batch = [record(item) for item in (rounds[2], rounds[0], rounds[1], rounds[0])]
    done = drain(batch, home.put, lambda *_: None, NOW, lambda: 0.5)
    assert (done.stored, done.known, done.kept, done.oldest_s) == (3, 1, (), 0)
    assert sorted(home.stored, key=lambda r: r.minute) == rounds


def test_after_a_first_outage_the_rest_of_a_batch_rests_untried() -> None:
    home, rounds = Home(OUTAGES["slow to connect"]), minutes(4)
    home.stored.append(rounds[0])
    delayed: dict[str, int] = {}
    batch = [record(item, attempt) for attempt, item in enumerate(rounds, start=1)]
    done = drain(batch, home.put, delayed.__setitem__, NOW, lambda: 1.0)
    assert home.tried == 1
    assert (done.stored, done.waiting, done.oldest_s) == (0, 4, NOW - MINUTE)
    assert done.kept == tuple(one["messageId"] for one in batch)
    assert delayed == {one["receiptHandle"]: FIRST_S * 2**i for i, one in enumerate(batch)}


def test_a_poisonous_message_stays_and_stops_nobody() -> None:
    home, (first, second) = Home(), minutes(2)
    poison = {**record(first), "body": "AAAA"}
    delayed: dict[str, int] = {}
    done = drain([poison, record(second)], home.put, delayed.__setitem__, NOW, lambda: 0.5)
    assert (done.stored, done.refused, done.kept) == (1, 1, (poison["messageId"],))
    assert list(delayed) == [poison["receiptHandle"]]


def test_rests_grow_to_a_limit_and_are_jittered() -> None:
    longest = [rest_s(attempt, 1.0) for attempt in range(1, 12)]
    assert longest == sorted(longest)
    assert longest[0] == FIRST_S
    assert set(longest[5:]) == {LONGEST_S}
    assert all(2 * rest_s(attempt, 0.0) == rest_s(attempt, 1.0) for attempt in range(1, 12))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_order_of_outages_ends_with_every_round_stored_once(order: tuple[int, ...]) -> None:
    """Minutes without a home region, then it comes back: what was queued is stored, whatever the order."""
    home, queue = Home(*[OUTAGES["refused"]] * 3), list[str]()
    rounds = minutes(3)
    assert {keep(item, home.put, queue.append, 5) for item in rounds} == {Kept.WAITING}
    home.answers = [OUTAGES["throttled"]]
    waiting = [record(parse(queue[i])) for i in order]
    for attempt in range(1, 5):
        done = drain(waiting, home.put, lambda *_: None, NOW + attempt, lambda: 0.5)
        waiting = [one for one in waiting if one["messageId"] in done.kept]
    assert waiting == []
    assert sorted(home.stored, key=lambda r: r.minute) == rounds
