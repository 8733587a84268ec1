"""`make up` and `make down`: what is started, in which order, and what of it can be left out the second time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookout import settings
from lookout.config.model import Config
from lookout.errors import LocalError
from lookout.local import cdk, install, processes
from lookout.local.demo_handle import NAME as DEMO
from lookout.local.demo_handle import Demo, default_ports, demo_secrets, render_config, running_demo, start_demo
from lookout.local.layout import Layout, read_json, write_json
from lookout.local.ministack import ACCOUNT, MiniStack, running_ministack, start_ministack
from lookout.local.ministack import NAME as MINISTACK
from lookout.local.steps import Steps
from lookout.local.web import serves
from lookout.probe.result import Status

SOURCES: Final = ("app.py", "cdk.json", "package-lock.json", "infra", "functions", "layers", "site")
"""What a deployment depends on, besides its configuration."""
IGNORED: Final = ("__pycache__", ".mypy_cache", "lookout_mcp.egg-info", ".DS_Store")
NAMES: Final = (cdk.NAME, DEMO, MINISTACK)
"""Every process there can be, in the order they are ended."""
POLL_S: Final = 0.5
TOKEN_SECRET: Final = "lookout-demo-token"  # noqa: S105 -- the secret's name
SIGNING_SECRET: Final = "lookout-demo-signing"  # noqa: S105 -- the secret's name


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything, running."""

    layout: Layout
    ministack: MiniStack
    demo: Demo
    config: Config

    @property
    def urls(self) -> dict[str, str]:
        """Where a person looks: status page, API, receiver."""
        found = find_urls(cdk.outputs(self.layout.outputs))
        return {**found, "Webhook receiver": self.demo.receiver_url}


def find_urls(outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The addresses among the stacks' outputs."""
    wanted = {"SiteUrl": "Status page", "ApiUrl": "API"}
    return {title: values[key] for key, title in wanted.items() for values in outputs.values() if key in values}


@contextmanager
def only_one(layout: Layout) -> Iterator[None]:
    """Raise LocalError while another `up` or `down` of this working copy is at work."""
    layout.run.mkdir(parents=True, exist_ok=True)
    with (layout.run / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError("another `make up` or `make down` is at work in this folder: wait for it") from None
        yield


def up(layout: Layout, port: int, steps: Steps, *, timeout_s: float = 600.0, force: bool = False) -> Stack:
    """Start what does not run, deploy what has changed, wait for the first verdicts. Raises LocalError.

    `force` deploys though nothing changed. Whatever was started is ended again where a later step fails.
    """
    from lookout.config.load import load_config  # after the steps that need no third-party package

    deadline = time.monotonic() + timeout_s
    before = {name for name in NAMES if processes.running(layout.run, name) is not None}
    try:
        with only_one(layout):
            ministack = _local_aws(layout, port, steps)
            demo = _demo(layout, ministack.port, steps)
            config = load_config(render_config(layout, demo))
            with ministack.applied():
                _bootstrap(layout, ministack, config, steps)
                _secrets(layout, config.site.home, steps)
                _deploy(layout, ministack, config.site.home, steps, deadline, force=force)
                stack = Stack(layout, ministack, demo, config)
                _first_verdicts(stack, steps, deadline)
    except BaseException:
        for name in NAMES:
            if name not in before:
                _end(layout, name)
        raise
    return stack


def down(layout: Layout, *, locked: bool = True) -> list[str]:
    """End every process this working copy started; their names. The data is kept."""
    if locked:
        with only_one(layout):
            return down(layout, locked=False)
    return [name for name in NAMES if _end(layout, name)]


def _end(layout: Layout, name: str) -> bool:
    ministack = running_ministack(layout) if name == MINISTACK else None
    if ministack is None:
        return processes.stop(layout.run, name)
    ministack.stop()
    return True


def purge(layout: Layout) -> None:
    """Remove the local AWS's data and everything made from it; what is installed stays."""
    for path in (layout.data, layout.logs, layout.run, layout.state / "cdk.out"):
        shutil.rmtree(path, ignore_errors=True)
    for path in (layout.config, layout.outputs, layout.received, layout.secrets):
        path.unlink(missing_ok=True)


def _local_aws(layout: Layout, port: int, steps: Steps) -> MiniStack:
    with steps.step("Local AWS, IAM enforced") as step:
        found = running_ministack(layout)
        if found is not None and found.ready:
            step.skip(f"runs already, port {found.port}")
            return found
        processes.stop(layout.run, "ministack")
        started = start_ministack(port, layout.data, persist=True, layout=layout)
        step.change(note=f"port {port}")
        return started


def _demo(layout: Layout, port: int, steps: Steps) -> Demo:
    with steps.step("Demo MCP servers, webhook receiver") as step:
        found = running_demo(layout)
        if found is not None:
            step.skip("run already")
            return found
        processes.stop(layout.run, "demo")
        return start_demo(layout, default_ports(port))


def _bootstrap(layout: Layout, ministack: MiniStack, config: Config, steps: Steps) -> None:
    from lookout.local.account import bootstrapped

    regions = list(dict.fromkeys((config.site.home, *config.site.regions)))
    with steps.step(f"Bootstrap of {len(regions)} regions") as step:
        missing = [region for region in regions if not bootstrapped(region)]
        if not missing:
            step.skip("done before")
            return
        cdk.bootstrap(layout, ACCOUNT, missing, aws=ministack.env)


def _secrets(layout: Layout, home: str, steps: Steps) -> None:
    from lookout.local.account import put_secret

    with steps.step("Demo secrets"):
        known = demo_secrets(layout)
        put_secret(home, TOKEN_SECRET, known["token"])
        put_secret(home, SIGNING_SECRET, known["signing"])


def _deploy(layout: Layout, ministack: MiniStack, home: str, steps: Steps, deadline: float, *, force: bool) -> None:
    stamp_file = ministack.data_dir / "deployed.json"
    with steps.step("cdk deploy --all") as step:
        stamp = source_digest(layout)
        if not force and read_json(stamp_file) == stamp and _home_stack_exists(home, cdk.outputs(layout.outputs)):
            step.skip("nothing changed")
            return
        stamp_file.unlink(missing_ok=True)
        done: list[str] = []

        def tell(progress: cdk.Progress) -> None:
            if progress.done:
                done.append(progress.stack)
            step.change(note=f"{len(done)} done" if progress.done else f"{len(done)} done, {progress.stack} now")

        cdk.deploy(
            layout,
            layout.config,
            aws=ministack.env,
            local=True,
            outputs_file=layout.outputs,
            tell=tell,
            timeout_s=max(1.0, deadline - time.monotonic()),
        )
        write_json(stamp_file, stamp)
        step.change(note=f"{len(set(done))} stacks")


def _home_stack_exists(home: str, outputs: Mapping[str, object]) -> bool:
    from lookout.local.account import stack_exists

    return any(stack_exists(home, name) for name in outputs)


def source_digest(layout: Layout) -> str:
    """SHA-256 over every file a deployment depends on, and the configuration."""
    files: list[Path] = [layout.config]
    for name in SOURCES:
        place = layout.root / name
        files += (
            [place]
            if place.is_file()
            else sorted(
                path
                for path in place.rglob("*")
                if path.is_file() and path.suffix != ".pyc" and not any(part in IGNORED for part in path.parts)
            )
        )
    return install.digest(item for path in files if path.exists() for item in (str(path), path))


def _first_verdicts(stack: Stack, steps: Steps, deadline: float) -> None:
    from lookout.local.account import invoke

    site = stack.config.site
    wanted = {server.slug for server in stack.config.servers}
    with steps.step("First round from every region") as step:
        for region in site.regions:  # the schedules would come within a minute; a round is stored once however often
            invoke(region, settings.function_name("dispatch"), {})
        judged = _judged(site.home)
        if wanted <= judged:
            step.skip("judged before, the next is on its way")
        while not wanted <= judged:
            _before(deadline, step_log=stack.layout.logs / "ministack.log")
            time.sleep(POLL_S)
            judged = _judged(site.home)
            step.change(note=f"{len(judged & wanted)} of {len(wanted)} servers judged")
    with steps.step("Status page") as step:
        invoke(site.home, settings.function_name("publish"), {})
        page = stack.urls.get("Status page", "")
        while not serves(page):
            _before(deadline, step_log=stack.layout.logs / "ministack.log")
            time.sleep(POLL_S)
        step.change(note=page)


def _judged(home: str) -> set[str]:
    from lookout.store import Store

    return {slug for slug, state in Store(home).server_states().items() if state.status is not Status.PENDING}


def _before(deadline: float, step_log: Path) -> None:
    if time.monotonic() > deadline:
        raise LocalError(
            f"not ready in time. The functions' own words are in {step_log}; its end:\n{processes.tail(step_log)}"
        )


def describe(layout: Layout) -> dict[str, Any]:
    """What runs, for `lookout local status --json`."""
    alive = {name: record for name in NAMES if (record := processes.running(layout.run, name)) is not None}
    return {
        "running": {name: {"pid": r.pid, "log": os.path.relpath(r.log, layout.root)} for name, r in alive.items()},
        "urls": find_urls(cdk.outputs(layout.outputs)) if "ministack" in alive else {},
    }


def last_events(layout: Layout, limit: int) -> list[dict[str, Any]]:
    """What the receiver got last, oldest first."""
    if not layout.received.exists():
        return []
    lines = layout.received.read_text(encoding="utf-8").splitlines()[-limit:]
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
