"""Starts the demo process and talks to it: break, mend, what the receiver got."""

from __future__ import annotations

import base64
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookout.errors import LocalError
from lookout.local import processes
from lookout.local.layout import DEMO_PORTS, DEMO_SLUGS, Layout, read_json, write_json

NAME: Final = "demo"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo process: `ports` by slug (and `receiver`)."""

    layout: Layout
    ports: Mapping[str, int]
    control: str

    @property
    def receiver_url(self) -> str:
        """The receiver's page."""
        return f"http://127.0.0.1:{self.ports['receiver']}/"

    def set_fault(self, slug: str, how: str | None) -> dict[str, str | None]:
        """Break `slug` (or mend it: `how` None); how every server stands after. Raises LocalError."""
        body = json.dumps({"slug": slug, "how": how}).encode()
        headers = {"content-type": "application/json", "x-lookout-control": self.control}
        answer: dict[str, str | None] = _call(f"{self.receiver_url}control", body, headers)
        return answer

    def events(self) -> list[dict[str, Any]]:
        """What the receiver got, oldest first. Raises LocalError."""
        found: list[dict[str, Any]] = _call(f"{self.receiver_url}events")["events"]
        return found

    def stop(self) -> None:
        """End the process."""
        processes.stop(self.layout.run, NAME)


def _call(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, body, dict(headers or {}))  # noqa: S310 -- always our own loopback URL
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise LocalError(f"the demo refused: {error.read(500).decode(errors='replace')}") from error
    except OSError as error:
        raise LocalError("the demo servers cannot be reached: start them with `make up`") from error


def demo_secrets(layout: Layout) -> dict[str, str]:
    """The demo's secrets (token, signing, control), made at random once per working copy."""
    known = read_json(layout.secrets)
    if isinstance(known, dict) and {"token", "signing", "control"} <= known.keys():
        return known
    made = {
        "token": secrets.token_urlsafe(24),
        "signing": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "control": secrets.token_urlsafe(24),
    }
    write_json(layout.secrets, made, secret=True)
    return made


def default_ports(base: int) -> dict[str, int]:
    """The demo's ports beside the local AWS's port `base`."""
    return {name: base + offset for name, offset in DEMO_PORTS.items()}


def start_demo(layout: Layout, ports: Mapping[str, int] | None = None, timeout_s: float = 30.0) -> Demo:
    """Start the demo process and wait until it listens. `ports` None: any free ones. Raises LocalError."""
    for name, port in (ports or {}).items():
        processes.require_free(port, name)
    known = demo_secrets(layout)
    settings, ready = layout.run / "demo-settings", layout.run / "demo-ready"
    ready.unlink(missing_ok=True)
    value = {**known, "ports": dict(ports or {}), "received": str(layout.received), "ready": str(ready)}
    write_json(settings, value, secret=True)
    log = layout.logs / "demo.log"
    command = [sys.executable, "-m", "lookout.local.demo", str(settings)]
    process = processes.start(NAME, command, run=layout.run, log=log, env=processes.clean_env(), cwd=layout.root)
    deadline = time.monotonic() + timeout_s
    while read_json(ready) is None:
        if process.poll() is not None or time.monotonic() > deadline:
            processes.stop(layout.run, NAME)
            raise LocalError(f"the demo servers did not start; the end of {log}:\n{processes.tail(log)}")
        time.sleep(0.05)
    return Demo(layout, read_json(ready)["ports"], known["control"])


def running_demo(layout: Layout) -> Demo | None:
    """The demo process that runs, if one does."""
    ready = read_json(layout.run / "demo-ready")
    if not isinstance(ready, dict) or processes.running(layout.run, NAME) is None:
        return None
    return Demo(layout, ready["ports"], demo_secrets(layout)["control"])


def render_config(layout: Layout, demo: Demo) -> Path:
    """Write the demo's lookout.yaml with the ports `demo` uses; its path."""
    text = layout.demo_config.read_text(encoding="utf-8")
    usual = default_ports(4566)
    for name in ("receiver", *DEMO_SLUGS):
        text = text.replace(f"127.0.0.1:{usual[name]}/", f"127.0.0.1:<{name}>/")
    for name, port in demo.ports.items():
        text = text.replace(f"127.0.0.1:<{name}>/", f"127.0.0.1:{port}/")
    if not layout.config.exists() or layout.config.read_text(encoding="utf-8") != text:
        layout.config.parent.mkdir(parents=True, exist_ok=True)
        layout.config.write_text(text, encoding="utf-8")
    return layout.config
