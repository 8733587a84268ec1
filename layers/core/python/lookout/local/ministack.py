"""Starts and ends MiniStack, the local AWS, with IAM enforced.

Its access key `test` is the account's root, so IAM limits what Lambda functions may do and not what the developer may.
It keeps its state only when it is shut down cleanly; so it is asked with SIGTERM, and given time.
"""

from __future__ import annotations

import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lookout.errors import LocalError
from lookout.local import install, processes
from lookout.local.layout import Layout, read_json, write_json
from lookout.local.processes import clean_env, tail

NAME: Final = "ministack"
ACCOUNT: Final = "000000000000"
GRACE_S: Final = 20.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class MiniStack:
    """A running local AWS. `data_dir` holds its state; `run` its process record."""

    port: int
    run: Path
    data_dir: Path

    @property
    def endpoint(self) -> str:
        """What AWS_ENDPOINT_URL must be. An address, so that clients put the bucket in the path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict[str, str]:
        """What points AWS clients here, and away from any real account."""
        return client_env(self.port)

    @property
    def ready(self) -> bool:
        """Does it answer?"""
        return _answers(self.port)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Point this process's AWS clients here for a while."""
        before = dict(os.environ)
        os.environ.update(self.env)
        os.environ.pop("AWS_PROFILE", None)
        forget_clients()
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            forget_clients()

    def stop(self, grace_s: float = GRACE_S) -> None:
        """End it and its Lambda workers; their temporary folders go too."""
        processes.stop(self.run, NAME, grace_s)
        shutil.rmtree(self.data_dir / "tmp", ignore_errors=True)


def forget_clients() -> None:
    """Have the next AWS client of this process look at the environment anew."""
    import boto3  # takes half a second to import

    from lookout.store.aws import client
    from lookout.store.models import models

    client.cache_clear()
    models.cache_clear()
    boto3.DEFAULT_SESSION = None  # it keeps the credentials it first found


def client_env(port: int) -> dict[str, str]:
    """The variables that point AWS clients at the local AWS on `port`; no profile or credentials file is read."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost,.localhost",
        "no_proxy": "127.0.0.1,localhost,.localhost",
    }


def server_env(layout: Layout, port: int, data_dir: Path, *, persist: bool) -> dict[str, str]:
    """MiniStack's own environment. Its Lambda functions inherit it, so it holds nothing it does not need."""
    kept = {k: v for k, v in clean_env().items() if k in ("HOME", "LANG", "LC_ALL", "SSL_CERT_FILE", "TZ")}
    on = "1" if persist else "0"
    node = shutil.which("node", path=install.tool_path(layout))  # its CloudFront runs functions with it
    places = [str(layout.ministack_venv / "bin"), *([str(Path(node).parent)] if node else []), os.defpath]
    return {
        **kept,
        "PATH": os.pathsep.join(places),
        "TMPDIR": str(data_dir / "tmp"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "PERSIST_STATE": on,
        "STATE_DIR": str(data_dir / "state"),
        "S3_PERSIST": on,
        "S3_DATA_DIR": str(data_dir / "s3"),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": "us-east-1",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
    }


def start_ministack(port: int, data_dir: Path, *, persist: bool, layout: Layout, timeout_s: float = 60.0) -> MiniStack:
    """Start a local AWS on `port` and wait until it answers. Raises LocalError (a taken port, a failed start)."""
    if not (layout.ministack_venv / "bin" / "python").exists():
        install.ministack(layout)
    processes.require_free(port, "local AWS")
    if not list((data_dir / "state").glob("*.json")):
        # It went down without saving: objects without their buckets' stacks would only be in the way.
        shutil.rmtree(data_dir, ignore_errors=True)
    rewind_streams(data_dir / "state")
    shutil.rmtree(data_dir / "tmp", ignore_errors=True)
    for name in ("tmp", "state", "s3"):
        (data_dir / name).mkdir(parents=True, exist_ok=True)
    log = layout.logs / "ministack.log"
    process = processes.start(
        NAME,
        [str(layout.ministack_venv / "bin" / "python"), "-m", "ministack"],
        run=layout.run,
        log=log,
        env=server_env(layout, port, data_dir, persist=persist),
        cwd=data_dir,
        facts={"port": str(port), "data_dir": str(data_dir)},
    )
    started = MiniStack(port, layout.run, data_dir)
    deadline = time.monotonic() + timeout_s
    while not started.ready:
        if process.poll() is not None or time.monotonic() > deadline:
            started.stop(grace_s=1.0)
            raise LocalError(f"the local AWS did not start; the end of {log}:\n{tail(log)}")
        time.sleep(0.1)
    return started


def rewind_streams(state_dir: Path) -> None:
    """Have stream readers begin at the beginning again: their offsets are saved, and the records they count are not.

    Without this, a stream wakes nobody after a restart until as many records have come as before it.
    """
    path = state_dir / "lambda.json"
    state = read_json(path)
    offsets = state.get("payload", {}).get("dynamodb_stream_positions", {}) if isinstance(state, dict) else {}
    if offsets.get("data"):
        offsets["data"] = dict.fromkeys(offsets["data"], 0)
        write_json(path, state)


def running_ministack(layout: Layout) -> MiniStack | None:
    """The local AWS this working copy started, if that process is alive."""
    record = processes.running(layout.run, NAME)
    if record is None:
        return None
    return MiniStack(int(record.facts["port"]), layout.run, Path(record.facts["data_dir"]))


def _answers(port: int) -> bool:
    try:
        with _DIRECT.open(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False
