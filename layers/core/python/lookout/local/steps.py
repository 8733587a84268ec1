"""What setting up reports while it goes on: steps, each with its time. No output of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

RUNNING, DONE, SKIPPED, FAILED = "running", "done", "skipped", "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `seconds` is how long it took (or has taken so far); `note` a few words about it."""

    name: str
    state: str = RUNNING
    began: float = 0.0
    seconds: float = 0.0
    note: str = ""


@dataclass(slots=True)
class Steps:
    """The steps so far, in order. `tell` hears every change; `clock` is monotonic seconds."""

    tell: Callable[[Step], None] = lambda _: None
    clock: Callable[[], float] = time.monotonic
    all: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Current]:
        """Do one step; it is failed if the body raises."""
        current = Current(self, len(self.all))
        self.all.append(Step(name, began=self.clock()))
        self.tell(self.all[-1])
        try:
            yield current
        except BaseException:
            current.change(state=FAILED)
            raise
        if self.all[current.index].state == RUNNING:
            current.change(state=DONE)


@dataclass(frozen=True, slots=True)
class Current:
    """The step being done."""

    steps: Steps
    index: int

    def change(self, state: str | None = None, note: str | None = None) -> None:
        """Say how it goes."""
        old = self.steps.all[self.index]
        self.steps.all[self.index] = replace(
            old,
            state=old.state if state is None else state,
            note=old.note if note is None else note,
            seconds=self.steps.clock() - old.began,
        )
        self.steps.tell(self.steps.all[self.index])

    def skip(self, note: str) -> None:
        """There was nothing to do."""
        self.change(SKIPPED, note)
