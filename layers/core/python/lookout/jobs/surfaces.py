"""Surfaces on their way: a probe stores each new one once, the judge reads two back and compares them.

A round carries a surface's address only where the surface is known to be stored: a failed upload costs the region one
look at the surface, never its round. What cannot be read back is told as a change of class `unknown`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Final

from lookout.config.model import Server
from lookout.errors import LookoutError
from lookout.history.round import Round
from lookout.probe.result import ProbeResult
from lookout.surface import packed
from lookout.surface.diff import Drift, diff
from lookout.surface.model import Surface
from lookout.verdict.state import ServerState

UPLOAD_S: Final = 3.0
"""How long a round waits for the uploads of its new surfaces."""
UPLOADS_AN_HOUR: Final = 6
"""Per server and process: a server that says something new each time does not fill the bucket."""
REMEMBERED: Final = 20_000
COMPARED_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of surfaces that are compared in one judged minute: more than a hundred of the usual size."""

_log = logging.getLogger(__name__)


def asked_as(server: Server) -> str:
    """Six hex digits that change with a server's address and with the references of its credential."""
    text = json.dumps([server.url, dict(server.auth)], sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def known_of(state: ServerState) -> dict[str, object]:
    """What dispatch tells a probe: the era, where that is sure, and which surfaces are stored already."""
    era = {"era": state.era} if state.era is not None and state.fail_rounds == 0 else {}
    addresses = state.surface.addresses()
    return {**era, **({"hashes": list(addresses)} if addresses else {})}


class Shelf:
    """Where new surfaces are put. Remembers, for as long as its process is warm, what is there."""

    def __init__(self, put: Callable[[str, bytes], None]) -> None:
        self._put = put
        """(address, bytes) -> stored. May raise."""
        self._stored: set[str] = set()
        self._uploads: dict[tuple[str, int], int] = {}

    def keep(self, round_: Round, servers: Sequence[Server], known: Collection[str]) -> Round:
        """The round with the addresses of surfaces that are stored, after storing those that are new."""
        self._stored |= set(known)
        hour = round_.minute // 3600
        self._uploads = {key: count for key, count in self._uploads.items() if key[1] == hour}
        new: dict[str, Surface] = {}
        for result in round_.results:
            surface = result.surface
            if surface is None or surface.address in self._stored or surface.address in new:
                continue
            count = self._uploads.get((result.slug, hour), 0)
            if count < UPLOADS_AN_HOUR:
                self._uploads[result.slug, hour] = count + 1
                new[surface.address] = surface
        self._stored |= self._upload(new)
        asked = {server.slug: asked_as(server) for server in servers}
        done = replace(round_, results=tuple(self._named(r, asked) for r in round_.results))
        if len(self._stored) > REMEMBERED:
            self._stored = set(known)
        return done

    def _named(self, result: ProbeResult, asked: Mapping[str, str]) -> ProbeResult:
        if result.surface is None or result.surface.address not in self._stored:
            return result
        return replace(result, surface_address=result.surface.address, asked_as=asked.get(result.slug))

    def _upload(self, new: Mapping[str, Surface]) -> set[str]:
        """The addresses that were stored within UPLOAD_S. What takes longer may end later, and is not waited for."""
        if not new:
            return set()
        pool = ThreadPoolExecutor(min(8, len(new)), thread_name_prefix="surface")
        try:
            jobs: dict[Future[None], str] = {pool.submit(self._store, s): address for address, s in new.items()}
            done, late = wait(jobs, timeout=UPLOAD_S)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if late:
            _log.warning("%d surfaces were not stored within %g s", len(late), UPLOAD_S)
        failed = {job: error for job in done if (error := job.exception()) is not None}
        for job, error in failed.items():
            _log.warning("surface %s was not stored: %s: %s", jobs[job], type(error).__name__, error)
        return {jobs[job] for job in done if job not in failed}

    def _store(self, surface: Surface) -> None:
        self._put(surface.address, packed.pack(surface))


def compare(pairs: Iterable[tuple[str, str]], read: Callable[[str], bytes]) -> dict[tuple[str, str], Drift]:
    """What changed between each pair of addresses; pairs that cannot be read are left out. Two at a time in memory."""
    out: dict[tuple[str, str], Drift] = {}
    room = COMPARED_LIMIT
    for old, new in sorted(pairs):
        surfaces = []
        try:
            for address in (old, new):
                text = packed.inflate(read(address), room)
                room -= len(text)
                surfaces.append(packed.parse(text, address))
        except LookoutError as error:
            _log.warning("surfaces %s and %s cannot be compared: %s", old, new, error)
        else:
            out[old, new] = diff(*surfaces)
    return out
