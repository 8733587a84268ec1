"""A server made with litestar-mcp, an implementation of its own: routes of a Litestar application as tools."""

from typing import Any

import watched
from litestar import Litestar, get
from litestar.openapi.config import OpenAPIConfig
from litestar_mcp import LitestarMCP


def _application() -> Any:
    @get("/search", mcp_tool="search")
    async def search(query: str, limit: int = 10) -> str:
        """Search the catalogue for what matches the query."""
        return f"{query} {limit}"

    @get("/fetch", mcp_tool="fetch")
    async def fetch(identifier: str) -> str:
        """Fetch one catalogue entry by its identifier."""
        return identifier

    title = OpenAPIConfig(title="real", version="1.0.0")
    return Litestar(route_handlers=[search, fetch], plugins=[LitestarMCP()], openapi_config=title)


if __name__ == "__main__":
    watched.serve({"default": lambda: watched.Watched(lambda slot, port: _application())})
