"""Writes what the real servers answer, for the unit tests of the rules: `python -m tests.servers.record`.

One line for each result that differs, with the first server that gave it, its version and its method. It takes some
minutes, for every server of tests/servers/real is installed, started and probed in every era it speaks.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from lookout.config.model import Server
from lookout.probe.client import probe_server
from lookout.probe.credential import ANONYMOUS, Credential
from lookout.probe.failure import Failure
from lookout.probe.messages import Reply, Request
from lookout.probe.result import Era
from lookout.probe.rules.results import LISTS
from lookout.probe.versions import MODERN

from tests.servers.real import install
from tests.servers.real.catalogue import CONFIGURATIONS, PROCESSES, TOKEN, Configuration
from tests.servers.real.fleet import Fleet

TARGET = Path(__file__).parents[1] / "unit/probe/rules/recorded.jsonl"
METHODS = ("initialize", "server/discover", *LISTS)


def exchange(url: str, era: Era, credential: Credential) -> list[dict[str, Any]]:
    """The results of one probe that speaks this era."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def watch(request: Request, reply: Reply | Failure) -> None:
        result = reply.message.get("result") if isinstance(reply, Reply) and isinstance(reply.message, dict) else None
        if request.rpc in METHODS and isinstance(result, dict):
            heard.append((request.rpc, result))

    async def go() -> str | None:
        lists = ("resources", "resource_templates", "prompts")
        server = Server("recorded", url, timeout_s=30, allow_private=True, lists=lists)
        result = await probe_server(
            server,
            credential=credential,
            deadline=asyncio.get_running_loop().time() + 60,
            now_ms=lambda: 0,
            known_era=era,
            forced=True,
            watch=watch,
        )
        return result.protocol_version

    negotiated = asyncio.run(go())
    opening = {"server/discover": MODERN[-1]}
    return [{"version": opening.get(rpc, negotiated), "method": rpc, "result": result} for rpc, result in heard]


def every(fleet: Fleet, configuration: Configuration) -> list[dict[str, Any]]:
    """What one configuration answers, in every era it speaks."""
    credential = Credential(headers={"authorization": f"Bearer {TOKEN}"}) if configuration.guarded else ANONYMOUS
    eras = configuration.forced if configuration.detected else {configuration.era: ""}
    found = [each for era in eras for each in exchange(fleet.address(configuration), Era(era), credential)]
    return [{"server": str(configuration), **each} for each in found]


def main() -> None:
    """Record them all."""
    install.everything()
    records: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(PROCESSES, Path(folder))
        try:
            for configuration in CONFIGURATIONS:
                for each in every(fleet, configuration):
                    same = json.dumps([each["method"], each["version"], each["result"]], sort_keys=True)
                    records.setdefault(same, each)
        finally:
            fleet.stop()
    order = sorted(records.values(), key=lambda each: (each["version"], each["method"], each["server"]))
    TARGET.write_text("".join(json.dumps(each) + "\n" for each in order))
    print(f"{len(order)} results of {len(CONFIGURATIONS)} configurations")


if __name__ == "__main__":
    main()
