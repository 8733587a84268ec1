"""Lookout: watches MCP servers from the outside."""

from typing import Final

__version__: Final = "0.1.0"
PROJECT_URL: Final = "https://github.com/lookout-mcp/lookout"
USER_AGENT: Final = f"lookout/{__version__} (+{PROJECT_URL}#opt-out)"
