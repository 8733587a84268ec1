"""The official suite's client scenarios: which apply to a prober, which do not, and why; docs/compatibility.md too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """One run of a scenario; `version` as `--spec-version`, "" for extensions. `credentials`: with a client's secret.
    `status` is what the probe must conclude: a scenario that only forbids something would pass with a client asleep.
    """

    name: str
    version: str = ""
    credentials: bool = False
    shows: str = ""
    status: str = "up"
    call: tuple[str, str] | None = None
    """A tool its owner would name, and its arguments."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


PROBER = [
    *(Scenario("initialize", version, shows="the handshake") for version in ("2025-06-18", "2025-11-25")),
    Scenario("request-metadata", "2026-07-28", shows="`_meta` and headers of every request; one retry after -32022"),
    Scenario("http-standard-headers", "2026-07-28", shows="`Mcp-Method`, `MCP-Protocol-Version`"),
    Scenario("json-schema-ref-no-deref", "2026-07-28", shows="no `$ref` of a server is fetched"),
    *(
        Scenario(
            "tools_call",
            version,
            shows="every message valid by the official schema; the call of a tool that is named",
            call=("add_numbers", '{"a": 5, "b": 3}'),
        )
        for version in ("2025-06-18", "2025-11-25", "2026-07-28")
    ),
    Scenario(
        "http-invalid-tool-headers",
        "2026-07-28",
        shows="tools with a bad `x-mcp-header` are left out, not the list",
        call=("valid_tool", '{"region": "eu", "query": "x"}'),
    ),
    Scenario("auth/client-credentials-basic", "", True, "discovery, the token and its use"),
    Scenario("auth/pre-registration", "2025-11-25", True, "a client registered beforehand"),
    Scenario("auth/token-endpoint-auth-basic", "2025-11-25", True, "`client_secret_basic` where that is what is taken"),
    Scenario("auth/token-endpoint-auth-post", "2025-11-25", True, "`client_secret_post` where that is what is taken"),
    Scenario("auth/resource-mismatch", "2026-07-28", True, "metadata of another server's is not believed", "unknown"),
    Scenario(
        "auth/metadata-issuer-mismatch", "2026-07-28", True, "metadata of another issuer's is not believed", "unknown"
    ),
]

PERSON = "sends a person to an authorization page, or registers a client; a prober has credentials it was given"
KIND = "another kind of credential than Lookout has"
CALLS = "calls tools; a prober calls at most the one its owner names"

OTHERS = {
    "elicitation-sep1034-client-defaults": "answers questions of the server; a prober declares no capabilities",
    "sse-retry": "resumes a stream that closed; a prober's next probe is the retry",
    "sep-2322-client-request-state": CALLS,
    "http-custom-headers": CALLS,
    "json-schema-2020-12-preservation": "hands a tool's schema back to the server in a call",
    "auth/metadata-default": PERSON,
    "auth/metadata-var1": PERSON,
    "auth/metadata-var2": PERSON,
    "auth/metadata-var3": PERSON,
    "auth/basic-cimd": PERSON,
    "auth/scope-from-www-authenticate": PERSON,
    "auth/scope-from-scopes-supported": PERSON,
    "auth/scope-omitted-when-undefined": PERSON,
    "auth/scope-step-up": PERSON,
    "auth/scope-retry-limit": PERSON,
    "auth/token-endpoint-auth-none": PERSON,
    "auth/2025-03-26-oauth-metadata-backcompat": PERSON,
    "auth/2025-03-26-oauth-endpoint-fallback": PERSON,
    "auth/offline-access-scope": PERSON,
    "auth/offline-access-not-supported": PERSON,
    "auth/authorization-server-migration": PERSON,
    "auth/iss-supported": PERSON,
    "auth/iss-not-advertised": PERSON,
    "auth/iss-supported-missing": PERSON,
    "auth/iss-wrong-issuer": PERSON,
    "auth/iss-unexpected": PERSON,
    "auth/iss-normalized": PERSON,
    "auth/client-credentials-jwt": KIND,
    "auth/enterprise-managed-authorization": KIND,
    "auth/dpop": KIND,
    "auth/dpop-nonce": KIND,
    "auth/wif-jwt-bearer": KIND,
    "sep-2640-client-no-prefetch": "about skills, an extension Lookout does not read",
    "sep-2640-client-verify-digest": "about skills, an extension Lookout does not read",
    "sep-2640-client-verify-size": "about skills, an extension Lookout does not read",
    "sep-2640-client-verify-frontmatter": "about skills, an extension Lookout does not read",
}
"""Why the rest does not apply."""
