"""Starts the server under test on its own core, with a certificate of an authority made for this run."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self

import trustme


def cores() -> tuple[list[int], list[int]]:
    """The client's core and the server's; the same one where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return [mine[0]], [mine[-1]]


class BenchServer:
    """`url` is its root; `ca_file` what to trust. Ends with the `with` block."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert("localhost")
        self.ca_file = str(folder / "ca.pem")
        key, chain = str(folder / "key.pem"), folder / "chain.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        leaf.private_key_pem.write_to_path(key)
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(str(chain), append=True)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "server.py"), str(chain), key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self._process.pid, cores()[1])
        assert self._process.stdout is not None
        self.url = f"https://localhost:{self._process.stdout.readline().strip()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def take_records(self) -> dict[str, Any]:
        """`{"records": {probe: {method: ms}}` since last asked, `"cpu_s", "waited_s"}` since it started."""
        context = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(f"{self.url}/records", context=context, timeout=10) as answer:
            taken: dict[str, Any] = json.load(answer)
        return taken
