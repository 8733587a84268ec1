"""Which objects to write and which to take away, so that publishing every minute costs little. Does no I/O itself.

The small pages everybody looks at are written every minute. A server's own page is written at once when something in
it changes that matters (its `signature`) and otherwise refreshed every `refresh_s`; a closed incident's page once.
What was written is remembered in the process, and in a manifest that outlives it.

The manifest also says whose page each object is. A server that is gone, or no longer public, has every page of its
own deleted before any page is written: the manifest names an object before it exists, so none is ever forgotten.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final

MANIFEST_KEY: Final = "internal/published.json"
_NEVER: Final = -(1 << 60)


@dataclass(frozen=True, slots=True)
class Page:
    """One object of the site. `path` is its key, without a leading slash.

    `owner` is the slug whose page it is (None: the site's). `signature` changes when the page must be written at once;
    `refresh_s` is how old it may grow otherwise: 0 for every time its bytes change, None for as long as it likes.
    """

    path: str
    body: bytes
    content_type: str
    cache_control: str
    signature: str
    owner: str | None = None
    refresh_s: int | None = 0


@dataclass(slots=True)
class _Known:
    owner: str | None
    signature: str = ""
    at: int = _NEVER


class Publisher:
    """What has been published to one bucket, as far as this process and the manifest know."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._known: dict[str, _Known] = {}
        self._saved = b""

    def absorb(self, manifest: bytes | None) -> None:
        """Learn from the stored manifest (None: there is none) what other processes published. Call before each run."""
        data = json.loads(manifest) if manifest else {}
        if data.get("bucket") == self._bucket:
            for path, (owner, signature) in data["pages"].items():
                self._known.setdefault(path, _Known(owner, signature))
        self._saved = manifest or b""

    def manifest(self) -> bytes:
        """The manifest as it should now be stored. Pages of the site itself need no remembering: they never go."""
        pages = {
            p: [known.owner, known.signature] for p, known in sorted(self._known.items()) if known.owner is not None
        }
        return json.dumps({"bucket": self._bucket, "pages": pages}, separators=(",", ":")).encode()

    def gone(self, public: Collection[str]) -> list[str]:
        """Paths of pages whose server is not public any more."""
        return sorted(p for p, known in self._known.items() if known.owner is not None and known.owner not in public)

    def due(self, pages: Iterable[Page], now: int) -> list[Page]:
        """The pages to write now, in the order given."""
        return [page for page in pages if self._due(page, now)]

    def _due(self, page: Page, now: int) -> bool:
        known = self._known.get(page.path)
        if known is None or known.signature != page.signature:
            return True
        if not page.refresh_s:
            return False
        # A stable phase per page spreads refreshes over the minutes.
        phase = zlib.crc32(page.path.encode()) % page.refresh_s
        return (now - phase) // page.refresh_s != (known.at - phase) // page.refresh_s

    def publish(
        self,
        pages: Iterable[Page],
        public: Collection[str],
        now: int,
        put: Callable[[Page], None],
        delete: Callable[[str], None],
        save: Callable[[bytes], None],
        time_left_s: Callable[[], float],
    ) -> dict[str, int]:
        """Take away, write, remember. Stops early when under five seconds are left; the rest is due again next time."""
        gone = self.gone(public)
        for path in gone:
            delete(path)
            del self._known[path]
        due = self.due(pages, now)
        for page in due:
            if page.path not in self._known or self._known[page.path].owner != page.owner:
                self._known[page.path] = _Known(page.owner)
        self._save(save)
        written = 0
        for page in due:
            if time_left_s() < 5:
                break
            put(page)
            self._known[page.path] = _Known(page.owner, page.signature, now)
            written += 1
        self._save(save)
        return {"written": written, "removed": len(gone), "postponed": len(due) - written}

    def _save(self, save: Callable[[bytes], None]) -> None:
        stable = self.manifest()
        if stable != self._saved:
            save(stable)
            self._saved = stable
