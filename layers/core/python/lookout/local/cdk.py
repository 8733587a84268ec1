"""Runs the CDK CLI, the one package-lock.json pins: the same for the local AWS and for a real account."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookout.errors import LocalError
from lookout.local import install, processes
from lookout.local.advice import advise
from lookout.local.layout import Layout, read_json
from lookout.local.processes import clean_env, tail

NAME: Final = "cdk"
_DONE: Final = re.compile(r"✅\s+(\S+)")
_STARTED: Final = re.compile(r"^(\S+): (?:deploying|destroying)\.\.\.")
_UNTOLD: Final = {"CDK_DISABLE_CLI_TELEMETRY": "true"}
"""A deployment to this machine is nobody else's business."""
QUIET: Final = {
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "20,21,22,23,24",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20,21,22,23,24",
}
"""No banner about Node's age, a dozen lines each time: which versions are good enough, `lookout.local.install` says."""
_WAIT_STOP_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One stack began or is done."""

    stack: str
    done: bool


def environment(layout: Layout, aws: Mapping[str, str] | None) -> dict[str, str]:
    """What the CLI runs with. `aws` None: the caller's own AWS variables, whatever they are."""
    own = {k: v for k, v in os.environ.items() if k.startswith("AWS_")} if aws is None else {**aws, **_UNTOLD}
    return {
        **clean_env(),
        "PATH": install.tool_path(layout),
        **QUIET,
        **own,
    }


def run(
    layout: Layout,
    arguments: Iterable[str],
    *,
    aws: Mapping[str, str] | None,
    log: Path,
    tell: Callable[[Progress], None] | None = None,
    echo: Callable[[str], None] | None = None,
    timeout_s: float | None = None,
    cwd: Path | None = None,
) -> None:
    """Run `cdk` with `arguments`; its output goes to `log` (and `echo`). Raises LocalError where it fails.

    Interrupted (Ctrl-C, or `timeout_s` without an end), the CLI and what it started are ended too.
    """
    command = ["npx", "--no-install", "cdk", *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd or layout.root,
            env=environment(layout, aws),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise LocalError("there is no CDK CLI here: run `make setup` first") from error
    if aws is not None:
        # A deployment to the local AWS is ended by `lookout local down`; one to a real account never is.
        processes.remember(layout.run, NAME, process.pid, command, log)
    with process, log.open("w", encoding="utf-8") as out, _alarm(timeout_s, process):
        try:
            for line in process.stdout or ():
                out.write(line)
                out.flush()
                if echo is not None:
                    echo(line.rstrip("\n"))
                if tell is not None and (found := _progress(line)) is not None:
                    tell(found)
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            if aws is not None:
                (layout.run / f"{NAME}.json").unlink(missing_ok=True)
    if code:
        raise LocalError(_failure(arguments, log, shown=echo is not None))


def _failure(arguments: Iterable[str], log: Path, *, shown: bool) -> str:
    """What to say of a failed run. What the user has just read (`shown`) is not repeated."""
    what = next((a for a in arguments if not a.startswith("-")), "cdk")
    end = "" if shown else f" Its end:\n{tail(log)}"
    advice = advise(tail(log, 60))
    return f"`cdk {what}` failed; all of it is in {log}.{end}" + (f"\n{advice}" if advice else "")


@contextmanager
def _alarm(seconds: float | None, process: subprocess.Popen[str]) -> Iterator[None]:
    """End the process when `seconds` have passed."""
    timer = threading.Timer(seconds, _end, [process]) if seconds else None
    if timer:
        timer.start()
    try:
        yield
    finally:
        if timer:
            timer.cancel()


def _end(process: subprocess.Popen[str]) -> None:
    """End the group the CLI leads: npx, cdk, the app and its bundling."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_WAIT_STOP_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _progress(line: str) -> Progress | None:
    if found := _DONE.search(line):
        return Progress(found[1], True)
    if found := _STARTED.match(line):
        return Progress(found[1], False)
    return None


def bootstrap(
    layout: Layout,
    account: str,
    regions: Iterable[str],
    *,
    aws: Mapping[str, str] | None,
    echo: Callable[[str], None] | None = None,
) -> None:
    """`cdk bootstrap` for each region, in one call."""
    places = [f"aws://{account}/{region}" for region in regions]
    # From a folder without cdk.json: with one, the CLI would synthesize the whole app first, to no purpose.
    away = layout.root / ".local"
    away.mkdir(exist_ok=True)
    run(layout, ["bootstrap", *places], aws=aws, log=layout.logs / "bootstrap.log", echo=echo, cwd=away)
    if aws is not None:
        _allow_plain_http(aws, account)


def _allow_plain_http(aws: Mapping[str, str], account: str) -> None:
    """Take the bootstrap's "TLS only" policy off the assets buckets: the local AWS enforces it, and has no TLS."""
    import boto3

    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    s3 = session.client("s3", endpoint_url=aws["AWS_ENDPOINT_URL"])
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith("cdk-") and f"-assets-{account}-" in bucket["Name"]:
            s3.delete_bucket_policy(Bucket=bucket["Name"])
    s3.close()


def deploy(
    layout: Layout,
    config: Path,
    *,
    aws: Mapping[str, str] | None,
    local: bool,
    outputs_file: Path,
    adopt: bool = False,
    tell: Callable[[Progress], None] | None = None,
    echo: Callable[[str], None] | None = None,
    timeout_s: float | None = None,
) -> dict[str, dict[str, str]]:
    """`cdk deploy --all` of `config`; the outputs by stack.

    `local` bundles for this machine, not for Lambda's. `adopt` takes over tables that an earlier Lookout left.
    """
    arguments = ["deploy", "--all", "--require-approval", "never", "--concurrency", "4", "--ci", "--progress", "events"]
    arguments += [*context(config, local=local), "--outputs-file", str(outputs_file)]
    if adopt:
        arguments.append("--import-existing-resources")
    if local:
        arguments += ["--no-notices", "--output", str(layout.state / "cdk.out")]
    outputs_file.parent.mkdir(parents=True, exist_ok=True)
    run(layout, arguments, aws=aws, log=layout.logs / "deploy.log", tell=tell, echo=echo, timeout_s=timeout_s)
    return outputs(outputs_file)


def context(config: Path, *, local: bool) -> list[str]:
    """The context flags of every `cdk` call."""
    return ["-c", f"config={config}", *(["-c", "local=true"] if local else [])]


def outputs(outputs_file: Path) -> dict[str, dict[str, str]]:
    """Stack outputs of the last deployment, by stack name; empty before the first."""
    value: Any = read_json(outputs_file)
    return value if isinstance(value, dict) else {}
