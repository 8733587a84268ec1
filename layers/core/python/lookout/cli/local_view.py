"""What `lookout local up` shows while it works and after: live in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lookout.cli import board
from lookout.config.model import Site
from lookout.local.steps import DONE, FAILED, RUNNING, SKIPPED, Step

MARKS = {DONE: "✓", SKIPPED: "–", FAILED: "✗", RUNNING: "·"}
SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
NOTICES_SHOWN = 5


@dataclass(slots=True)
class Shown:
    """Everything on the screen."""

    steps: list[Step] = field(default_factory=list)
    site: Site | None = None
    rows: Sequence[board.Row] = ()
    events: Sequence[dict[str, Any]] = ()
    urls: dict[str, str] = field(default_factory=dict)
    total_s: float = 0.0

    def heard(self, step: Step) -> None:
        """A step began or changed."""
        for index, old in enumerate(self.steps):
            if old.name == step.name:
                self.steps[index] = step
                return
        self.steps.append(step)


def event_line(event: dict[str, Any]) -> str:
    """One received webhook as a line: when, what, which server, from what to what."""
    received = event.get("payload")
    payload: dict[str, Any] = received if isinstance(received, dict) else {}
    words = [
        str(event.get("received_at", "")).replace("T", " ").replace("Z", " UTC"),
        str(payload.get("type", "refused")),
        str(payload.get("server_slug", "")),
    ]
    if payload:
        words.append(f"{payload.get('previous_status')} → {payload.get('status')}")
    else:
        words.append(str(event.get("problem") or ""))
    return board.clean("  ".join(word for word in words if word))


def screen(shown: Shown, now: float, monotonic: float) -> RenderableType:
    """The whole screen."""
    parts: list[RenderableType] = [_ready(shown) if shown.total_s else _steps(shown, monotonic)]
    if shown.site is not None:
        parts.append(board.table(shown.site, shown.rows, now))
        lines = [Text(event_line(e)) for e in list(shown.events)[-NOTICES_SHOWN:]]
        parts.append(Text("Notices received", style="bold"))
        parts += lines or [Text("none yet: break a server with  lookout local break demo-flaky", style="dim")]
        parts.append(Text(""))
        for title, url in shown.urls.items():
            parts.append(Text.assemble((f"{title:<17}", "bold"), (url, f"link {url}")))
        parts.append(Text("Ctrl-C ends everything; the data is kept.", style="dim"))
    return Group(*parts)


def _steps(shown: Shown, monotonic: float) -> Table:
    out = Table.grid(padding=(0, 1))
    for step in shown.steps:
        running = step.state == RUNNING
        seconds = monotonic - step.began if running else step.seconds
        mark = SPINNER[int(monotonic * 8) % len(SPINNER)] if running else MARKS[step.state]
        out.add_row(
            Text(mark, style=_style(step)),
            step.name,
            Text(f"{seconds:6.1f} s", style="dim"),
            Text(board.clean(step.note), style="dim"),
        )
    return out


def _ready(shown: Shown) -> Text:
    """The steps in one line: when they are done, the screen belongs to the servers."""
    text = Text.assemble(("✓ ", "green"), ("ready", "bold"), f" after {shown.total_s:.1f} s")
    skipped = sum(step.state == SKIPPED for step in shown.steps)
    if skipped:
        text.append(f", {skipped} of {len(shown.steps)} steps had nothing to do", style="dim")
    return text


def _style(step: Step) -> str:
    return {DONE: "green", SKIPPED: "dim", FAILED: "bold red"}.get(step.state, "")


class Terminal:
    """The live view."""

    def __init__(self, console: Console | None = None) -> None:
        self.shown = Shown()
        self._live = Live(
            console=console or Console(), get_renderable=self._screen, refresh_per_second=4, transient=False
        )

    def _screen(self) -> RenderableType:
        return screen(self.shown, time.time(), time.monotonic())

    def __enter__(self) -> Terminal:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def step(self, step: Step) -> None:
        """A step began or changed."""
        self.shown.heard(step)

    def ready(self, seconds: float, urls: dict[str, str]) -> None:
        """All steps are done: they scroll away above, and the live part is the servers'."""
        self._live.console.print(_steps(self.shown, time.monotonic()))
        self.shown.total_s, self.shown.urls = seconds, urls

    def state(self, site: Site, rows: Sequence[board.Row], events: Sequence[dict[str, Any]]) -> None:
        """How the servers are now."""
        self.shown.site, self.shown.rows, self.shown.events = site, rows, events


class Plain:
    """Plain lines: each step once when it is over, and then only what changes."""

    def __init__(self, echo: Callable[[str], None] = click.echo) -> None:
        self._echo = echo
        self._said: dict[str, str] = {}
        self._events = 0

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def step(self, step: Step) -> None:
        """A step began or changed."""
        if step.state != RUNNING:
            note = f"  {board.clean(step.note)}" if step.note else ""
            self._echo(f"  {MARKS[step.state]} {step.name:<34} {step.seconds:6.1f} s{note}")

    def ready(self, seconds: float, urls: dict[str, str]) -> None:
        """All steps are done."""
        self._echo(f"  ✓ {'ready':<34} {seconds:6.1f} s")
        for title, url in urls.items():
            self._echo(f"{title}: {url}")

    def state(self, site: Site, rows: Sequence[board.Row], events: Sequence[dict[str, Any]]) -> None:
        """How the servers are now."""
        del site
        for row in rows:
            text = f"{row.status}"
            if self._said.get(row.slug) != text:
                self._said[row.slug] = text
                self._echo(board.line(row))
        for event in list(events)[self._events :]:
            self._echo(f"notice: {event_line(event)}")
        self._events = len(events)
