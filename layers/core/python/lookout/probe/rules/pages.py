"""What the pages of one list show together (MCP, Utilities, Pagination and Caching)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from lookout.probe.result import Finding
from lookout.probe.rules.registry import distinct, finding
from lookout.probe.rules.words import described

_SCOPES: Final = ("public", "private")


def check_pages(method: str, pages: Sequence[dict[str, Any]], cut: bool = False) -> list[Finding]:
    """The results of one list, in order. `cut`: the reader gave up at a limit although there was more.

    An empty cursor is a cursor: only its absence ends a list.
    """
    found: list[Finding] = []
    seen: set[str] = set()
    for page in pages:
        if "nextCursor" not in page:
            continue
        cursor = page["nextCursor"]
        if cursor is None:
            found.append(finding("PAGE-CURSOR-TYPE", f"{method}: nextCursor is null, and should be absent", "warning"))
        elif not isinstance(cursor, str):
            found.append(finding("PAGE-CURSOR-TYPE", f"{method}: nextCursor is {described(cursor)}, not a text"))
        elif cursor in seen:
            found.append(finding("PAGE-LOOP", f"{method}: the cursor {described(cursor)} came twice"))
        else:
            seen.add(cursor)
    if cut and not any(each.severity == "error" for each in found):
        found.append(finding("PAGE-LOOP", f"{method}: more pages than are read, {len(pages)} were"))
    scopes = {page["cacheScope"] for page in pages if page.get("cacheScope") in _SCOPES}
    if len(scopes) > 1:
        found.append(finding("M-CACHE", f"{method}: cacheScope differs between the pages"))
    return distinct(found)
