"""The real servers the probe is tried on: which processes there are, what each serves, and what a probe must find.

Expectations are what is right, not what the probe does today. `docs/compatibility.md` is checked against this table.
"""

from __future__ import annotations

from dataclasses import dataclass

MODERN = "2026-07-28"
NEWEST = "2025-11-25"
"""The newest version that is negotiated by `initialize`."""
TOKEN = "a-token-of-the-tests"
"""What python/fastmcp_any.py accepts."""


@dataclass(frozen=True)
class Process:
    """One process. `serves` names what a script of ours offers, each at a port of its own; a server that is started
    by its own command serves one thing, at {port}."""

    name: str
    environment: str
    command: tuple[str, ...]
    serves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Configuration:
    """One endpoint and what a probe finds: `era`, and the version `initialize` negotiates ("" where it is refused).

    `keeps`: it keeps sessions that a client can end, and tells how many are open. `moods`: its tools/list can be made
    to fail (watched.py). `in_log`: patterns of the begin and the end of a session in what it prints, where there is no
    other way to count. `detected`: false where one unknown request kills the server, so that only its era is tried.
    """

    package: str
    version: str
    mode: str
    process: str
    serves: str
    era: str
    handshake: str
    tools: int = 2
    keeps: bool = False
    moods: bool = False
    guarded: bool = False
    detected: bool = True
    in_log: tuple[str, str] | None = None
    path: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.version} {self.mode}"

    @property
    def endpoint(self) -> str:
        """The path of the endpoint."""
        return self.path or ("/sse" if self.era == "sse" else "/mcp")

    @property
    def protocol_version(self) -> str:
        """What is spoken when the prober chooses."""
        return MODERN if self.era == "modern" else self.handshake

    @property
    def transport(self) -> str:
        """As the probe names it."""
        return "http+sse" if self.era == "sse" else "streamable-http"

    @property
    def forced(self) -> dict[str, str]:
        """What --era may be, where that is meaningful, and the version that is then spoken."""
        if self.era == "modern":
            return {"modern": MODERN, **({"legacy": self.handshake} if self.handshake else {})}
        return {self.era: self.handshake}


HTTP = {
    "stateful": "stateful, SSE bodies",
    "stateful-json": "stateful, JSON bodies",
    "stateless": "stateless, SSE bodies",
    "stateless-json": "stateless, JSON bodies",
}
SSE = "HTTP+SSE"


def _python(name: str, script: str, *serves: str) -> Process:
    return Process(name, name, ("{bin}/python", "{here}/python/" + script, "{ready}"), serves)


def _node(name: str, script: str, *arguments: str, serves: tuple[str, ...] = ()) -> Process:
    command = ("{node}", "--import", "{here}/node/preload.mjs", script, *arguments)
    return Process(name, "node", (*command, "{ready}") if serves else command, serves)


_CHILD = ("{node}", "--import", "{here}/node/preload.mjs", "{here}/node/stdio.mjs")
_GATEWAY = ("{packages}/supergateway/dist/index.js", "--port", "{port}", "--stdio", " ".join(_CHILD))
_PROXY = ("{bin}/mcp-proxy", "--pass-environment", "--port", "{port}")
_EVERYTHING = "{packages}/@modelcontextprotocol/server-everything/dist/index.js"

PROCESSES = [
    _python("fastmcp-2", "fastmcp_any.py", *HTTP, "sse", "auth"),
    _python("fastmcp-4", "fastmcp_any.py", *HTTP, "sse", "auth"),
    _python("mcp-1.2", "sdk_1.py", "sse"),
    _python("mcp-1.8", "sdk_1.py", "stateful", "stateful-json", "stateless", "sse"),
    _python("mcp-1.9", "sdk_1.py", *HTTP, "sse"),
    _python("mcp-1.12", "sdk_1.py", *HTTP, "sse"),
    _python("mcp-1.25", "sdk_1.py", *HTTP, "sse"),
    _python("mcp-1.30", "sdk_1.py", *HTTP, "sse"),
    _python("mcp-2.3", "sdk_2.py", *HTTP, "sse"),
    _python("fastapi-mcp", "fastapi_app.py", "http", "sse"),
    _python("aiohttp-tiny-mcp", "tiny.py", "http", "sse"),
    _python("litestar-mcp", "litestar_app.py", "default"),
    _node("typescript-1", "{here}/node/sdk_1.mjs", serves=(*HTTP, "sse")),
    _node("typescript-2", "{here}/node/sdk_2.mjs", serves=("modern", "modern-sse", "dual")),
    _node("others", "{here}/node/others.mjs", serves=("lite-stateful", "lite-stateless", "hono")),
    _node("framework", "{here}/node/framework.mjs", "{port}"),
    _node("framework-stateless", "{here}/node/framework.mjs", "{port}", "stateless"),
    _node("everything", _EVERYTHING, "streamableHttp"),
    _node("everything-sse", _EVERYTHING, "sse"),
    _node("supergateway", *_GATEWAY, "--outputTransport", "streamableHttp"),
    _node("supergateway-stateful", *_GATEWAY, "--outputTransport", "streamableHttp", "--stateful"),
    _node("supergateway-sse", *_GATEWAY, "--outputTransport", "sse"),
    Process("mcp-proxy", "mcp-proxy", (*_PROXY, "--", *_CHILD)),
    Process("mcp-proxy-stateless", "mcp-proxy", (*_PROXY, "--stateless", "--", *_CHILD)),
]


def _four(package: str, version: str, process: str, era: str, handshake: str, moods: bool) -> list[Configuration]:
    """Streamable HTTP in the four ways the official SDKs can serve it."""
    return [
        Configuration(package, version, mode, process, serves, era, handshake, keeps="stateful" in serves, moods=moods)
        for serves, mode in HTTP.items()
    ]


def _python_sdk(version: str, process: str, era: str, handshake: str, moods: bool = True) -> list[Configuration]:
    sse = Configuration("mcp", version, SSE, process, "sse", "sse", handshake, moods=moods)
    return [*_four("mcp", version, process, era, handshake, moods), sse]


def _fastmcp(version: str, process: str, era: str) -> list[Configuration]:
    name = "fastmcp (Python)"
    token = Configuration(
        name, version, "stateful, bearer token", process, "auth", era, NEWEST, keeps=True, guarded=True
    )
    sse = Configuration(name, version, SSE, process, "sse", "sse", NEWEST)
    return [*_four(name, version, process, era, NEWEST, False), token, sse]


def _old(mode: str, serves: str, **how: bool) -> Configuration:
    """mcp 1.8.1: the newest version it knows is the oldest there is, over Streamable HTTP too. It drops cursors."""
    era = "sse" if serves == "sse" else "legacy"
    return Configuration("mcp", "1.8.1", mode, "mcp-1.8", serves, era, "2024-11-05", **how)


_SDK_1, _SDK_2 = "@modelcontextprotocol/sdk", "@modelcontextprotocol/server"
_EVERY = "@modelcontextprotocol/server-everything"
_IN_LOG = (r"Session initialized with ID: (\S+)", r"Transport closed for session ([^\s,]+)")
_IN_LOG_SSE = (r"Client Connected: +(\S+)", r"Client Disconnected: +(\S+)")
_GATEWAY_STATEFUL = (r"SessionAccessCounter\.inc\(\) (\S+),", r"SessionAccessCounter\.clear\(\) (\S+),")
_GATEWAY_SSE = (r"POST to SSE transport \(session (\S+)\)", r"(?:closed|disconnected) \(session (\S+)\)")
_TINY, _LITE, _GATE = "aiohttp-tiny-mcp", "mcp-lite", "supergateway"

CONFIGURATIONS = [
    Configuration("mcp", "1.2.1", SSE, "mcp-1.2", "sse", "sse", "2024-11-05"),
    _old(HTTP["stateful"], "stateful", keeps=True),
    _old(HTTP["stateful-json"], "stateful-json", keeps=True),
    _old(HTTP["stateless"], "stateless", detected=False),
    _old(SSE, "sse"),
    # It dies when a session is deleted while an answer is due, unless it had the time to hear that nobody waits for it.
    *_python_sdk("1.9.4", "mcp-1.9", "legacy", "2025-03-26", moods=False),
    *_python_sdk("1.12.4", "mcp-1.12", "legacy", "2025-06-18"),
    *_python_sdk("1.25.0", "mcp-1.25", "legacy", NEWEST),
    *_python_sdk("1.30.0", "mcp-1.30", "legacy", NEWEST),
    *_python_sdk("2.3.0", "mcp-2.3", "modern", NEWEST),
    *_four(_SDK_1, "1.32.2", "typescript-1", "legacy", NEWEST, True),
    Configuration(_SDK_1, "1.32.2", SSE, "typescript-1", "sse", "sse", NEWEST, keeps=True, moods=True),
    Configuration(_SDK_2, "2.4.0", "newest era only, JSON bodies", "typescript-2", "modern", "modern", ""),
    Configuration(_SDK_2, "2.4.0", "newest era only, SSE bodies", "typescript-2", "modern-sse", "modern", ""),
    Configuration(_SDK_2, "2.4.0", "both eras", "typescript-2", "dual", "modern", NEWEST),
    Configuration(_EVERY, "2026.8.31", HTTP["stateful"], "everything", "", "legacy", NEWEST, 13, True, in_log=_IN_LOG),
    Configuration(_EVERY, "2026.8.31", SSE, "everything-sse", "", "sse", NEWEST, 13, True, in_log=_IN_LOG_SSE),
    *_fastmcp("2.14.7", "fastmcp-2", "legacy"),
    *_fastmcp("4.1.2", "fastmcp-4", "modern"),
    Configuration("fastmcp (TypeScript)", "4.20.16", HTTP["stateful"], "framework", "", "legacy", NEWEST, 1),
    Configuration("fastmcp (TypeScript)", "4.20.16", SSE, "framework", "", "sse", NEWEST, 1),
    Configuration("fastmcp (TypeScript)", "4.20.16", HTTP["stateless"], "framework-stateless", "", "legacy", NEWEST, 1),
    Configuration("fastapi-mcp", "0.4.0", HTTP["stateful-json"], "fastapi-mcp", "http", "legacy", NEWEST, keeps=True),
    Configuration("fastapi-mcp", "0.4.0", SSE, "fastapi-mcp", "sse", "sse", NEWEST),
    Configuration(_TINY, "0.5.8", "both eras", "aiohttp-tiny-mcp", "http", "modern", NEWEST),
    Configuration(_TINY, "0.5.8", SSE, "aiohttp-tiny-mcp", "sse", "sse", NEWEST, keeps=True),
    Configuration("litestar-mcp", "0.16.0", "newest era only", "litestar-mcp", "default", "modern", ""),
    Configuration(_LITE, "0.10.0", HTTP["stateful"], "others", "lite-stateful", "legacy", "2025-03-26", keeps=True),
    Configuration(_LITE, "0.10.0", HTTP["stateless-json"], "others", "lite-stateless", "legacy", "2025-03-26"),
    Configuration("@hono/mcp", "0.3.2", HTTP["stateless"], "others", "hono", "legacy", NEWEST, 1),
    Configuration(_GATE, "4.0.0", HTTP["stateless"], _GATE, "", "legacy", NEWEST),
    Configuration(
        _GATE,
        "4.0.0",
        HTTP["stateful"],
        "supergateway-stateful",
        "",
        "legacy",
        NEWEST,
        2,
        True,
        in_log=_GATEWAY_STATEFUL,
    ),
    Configuration(_GATE, "4.0.0", SSE, "supergateway-sse", "", "sse", NEWEST, 2, True, in_log=_GATEWAY_SSE),
    Configuration("mcp-proxy (Python)", "0.13.0", HTTP["stateful"], "mcp-proxy", "", "legacy", NEWEST),
    Configuration("mcp-proxy (Python)", "0.13.0", SSE, "mcp-proxy", "", "sse", NEWEST),
    Configuration("mcp-proxy (Python)", "0.13.0", HTTP["stateless"], "mcp-proxy-stateless", "", "legacy", NEWEST),
]
