"""Our probe as the client of the suite's scenarios of the client credentials grant: `python with_credentials.py URL`.

The suite gives client and secret in MCP_CONFORMANCE_CONTEXT; the command line has no option for them, so the probe is
called as the probe function calls it. Exit status as `lookout probe`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from lookout.cli.probe_cmd import as_json, exit_code
from lookout.config.model import Server
from lookout.credentials.keyring import Keyring
from lookout.credentials.secrets import Secrets
from lookout.probe.client import probe_server
from lookout.probe.credential import Credential
from lookout.probe.result import ProbeResult, Status


async def probed(url: str, context: dict[str, str]) -> ProbeResult:
    """Obtain a token by discovery and probe with it."""
    oauth = {"client_id": context.get("client_id", "lookout"), "client_secret": "env:SECRET"}
    server = Server("suite", url, allow_private=True, auth={"oauth": oauth})
    secrets = Secrets({"env": lambda name: context.get("client_secret", "not-used")}, time.monotonic)
    keyring = Keyring(secrets, wall=time.time, chance=lambda: 0.5)
    deadline = asyncio.get_running_loop().time() + 20
    credential = await keyring.credential(server, deadline)
    if not isinstance(credential, Credential):
        return ProbeResult(server.slug, Status.UNKNOWN, 0, message=f"no credential: {credential}")
    now_ms = time.time_ns() // 1_000_000
    return await probe_server(server, deadline=deadline, now_ms=lambda: now_ms, credential=credential)


def main() -> int:
    """Probe once and say how it went."""
    result = asyncio.run(probed(sys.argv[1], json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))))
    print(json.dumps(as_json(sys.argv[1], result)))
    return exit_code(result.status)


if __name__ == "__main__":
    sys.exit(main())
