from __future__ import annotations

import pytest
from lookout.local.steps import Step, Steps


def test_steps_are_told_with_their_time() -> None:
    ticks = iter(range(100))
    heard: list[Step] = []
    steps = Steps(heard.append, clock=lambda: float(next(ticks)))
    with steps.step("one") as step:
        step.change(note="half")
    with steps.step("two") as step:
        step.skip("nothing to do")
    assert [(s.name, s.state, s.note) for s in heard] == [
        ("one", "running", ""),
        ("one", "running", "half"),
        ("one", "done", "half"),
        ("two", "running", ""),
        ("two", "skipped", "nothing to do"),
    ]
    assert heard[2].seconds == 2.0


def test_a_step_that_raises_has_failed() -> None:
    steps = Steps()
    with pytest.raises(KeyboardInterrupt), steps.step("one"):
        raise KeyboardInterrupt
    assert steps.all[0].state == "failed"
