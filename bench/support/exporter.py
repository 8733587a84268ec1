"""Debian's blackbox_exporter as a child process: one module `mcp` that POSTs tools/list and matches the body."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

PACKAGE = "prometheus-blackbox-exporter"


def find_exporter() -> str | None:
    """Its executable: Debian's name, then upstream's."""
    return shutil.which(PACKAGE) or shutil.which("blackbox_exporter")


def _module(ca_file: str) -> dict[str, object]:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1.0"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    return {
        "prober": "http",
        "timeout": "60s",
        "http": {
            "method": "POST",
            "headers": {
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": "2026-07-28",
                "Mcp-Method": "tools/list",
            },
            "body": json.dumps(body),
            "fail_if_not_ssl": True,
            "fail_if_body_not_matches_regexp": ["search_documents_11"],
            "preferred_ip_protocol": "ip4",
            "tls_config": {"ca_file": ca_file},
        },
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Exporter:
    """`address` is host:port of its HTTP interface. Its process ends with the `with` block."""

    def __init__(self, executable: str, folder: Path, ca_file: str, cores: Sequence[int]) -> None:
        config = folder / "blackbox.yml"
        config.write_text(json.dumps({"modules": {"mcp": _module(ca_file)}}))
        self.address = f"127.0.0.1:{_free_port()}"
        command = [executable, f"--config.file={config}", f"--web.listen-address={self.address}", "--log.level=error"]
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)  # Go counts its cores once, when it starts
        try:
            self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        finally:
            os.sched_setaffinity(0, mine)

    def __enter__(self) -> Self:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{self.address}/-/healthy", timeout=5).close()
            except urllib.error.URLError:
                time.sleep(0.05)
            else:
                return self
        self.__exit__()
        raise RuntimeError(f"the exporter did not answer at {self.address} within 10 s")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)
