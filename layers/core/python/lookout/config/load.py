"""lookout.yaml -> Config, or every problem in it at once, each with file, line, column, key and what to do.

Form is judged by lookout.schema.json (`structure`; editors use it too), meaning by `meaning`. PyYAML and jsonschema are
needed: for the command line and `cdk synth`, not for Lambda, which never imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lookout.config.document import SIZE_LIMIT, Document
from lookout.config.maintenance import window
from lookout.config.meaning import meaning, without
from lookout.config.model import Config, Heartbeat, Server, Site
from lookout.config.provider import provider_of
from lookout.config.references import is_reference
from lookout.config.routes import escalation, route
from lookout.config.sinks import sink_of
from lookout.config.structure import schema, structure
from lookout.config.units import milliseconds, seconds
from lookout.errors import ConfigError, Problem
from lookout.regions import CITIES

NO_FILE = "there is no such file: `cp examples/minimal.yaml lookout.yaml` is a beginning (docs/configuration.md)"


def load_config(path: str | Path) -> Config:
    """Read and check a file. Raises ConfigError."""
    file = str(path)
    try:
        with Path(path).open("rb") as source:
            text = source.read(SIZE_LIMIT + 1).decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([Problem(file, 0, 0, "", NO_FILE)]) from None
    except OSError as error:
        raise ConfigError([Problem(file, 0, 0, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (byte {error.start}): save it as UTF-8"
        raise ConfigError([Problem(file, 0, 0, "", message)]) from None
    return parse_config(text, file)


def parse_config(text: str, file: str = "lookout.yaml") -> Config:
    """Check text. Raises ConfigError with all problems, in the order they stand in the file."""
    document = Document(text, file)
    found, unfit = structure(document)
    if isinstance(document.value, Mapping):
        found += meaning(without(document.value, unfit))
    if found:
        problems = [document.problem(path, message) for path, message in found]
        raise ConfigError(sorted(problems, key=lambda p: (p.line, p.column, p.key, p.message)))
    return _build(document.value)


def remarks(config: Config) -> list[str]:
    """What is allowed and still worth a second look: one sentence each."""
    out = [
        f"{region} is not a region this release knows: if AWS has it, all is well"
        for region in dict.fromkeys((config.site.home, *config.site.regions))
        if region not in CITIES
    ]
    if not config.site.sinks:
        out.append("there are no sinks: the status page changes, and nobody is told")
    out += [
        f"{sink.name} has no signing: its receiver cannot tell our requests from others'"
        for sink in config.site.sinks
        if sink.kind == "webhook" and sink.signing is None
    ]
    if config.site.heartbeat is not None and not is_reference(config.site.heartbeat.url):
        out.append("heartbeat: whoever reads its address here can call it in our stead; a reference would keep it")
    out += [
        f"{sink.name} can be read by whoever knows its topic: give it a token, or make its address a secret"
        for sink in config.site.sinks
        if sink.kind == "ntfy" and "token" not in sink.options and not is_reference(sink.url)
    ]
    out += [
        f"{server.slug} itself says where its OAuth client secret is sent: auth.oauth.token_url would pin that"
        for server in config.servers
        if "oauth" in server.auth and "token_url" not in server.auth["oauth"]
    ]
    if len(config.site.regions) == 1:
        out.append("one region cannot tell a server's outage from its own: three are better")
    return out


def _build(value: Mapping[str, Any]) -> Config:
    zone = value.get("timezone", "UTC")
    sinks = tuple(sink_of(name, one, zone) for name, one in value.get("sinks", {}).items())
    site = Site(
        name=value.get("name", "MCP status"),
        home=value["home"],
        regions=tuple(value["regions"]),
        sinks=sinks,
        per_host=value.get("per_host", 4),
        spread_s=seconds(value.get("spread", "8s")),
        stale_after_s=seconds(value.get("stale_after", "10m")),
        timezone=zone,
        heartbeat=_heartbeat(value["heartbeat"]) if "heartbeat" in value else None,
        alarm_email=value.get("alarm_email"),
        maintenance=tuple(window(one, zone) for one in value.get("maintenance", ())),
        routes=tuple(route(one) for one in value.get("routes", ())),
        mass_failure_percent=int(value.get("mass_failure_share", "50%").removesuffix("%")),
    )
    common = {"notify": [one.name for one in sinks], **value.get("defaults", {})}
    servers = (
        _server({**common, **server}, routed=bool(site.routes) and "notify" not in server)
        for server in value["servers"]
    )
    return Config(site, tuple(servers))


def _heartbeat(value: Any) -> Heartbeat:
    return Heartbeat(**value) if isinstance(value, Mapping) else Heartbeat(value)


def _server(value: Mapping[str, Any], *, routed: bool) -> Server:
    expect = value.get("expect", {})
    return Server(
        slug=value["slug"],
        url=value["url"],
        provider=provider_of(value["url"]),
        name=value.get("name", ""),
        visibility=value.get("visibility", "public"),
        tags=tuple(value.get("tags", ())),
        interval_s=seconds(value.get("interval", "60s")),
        down_after=value.get("down_after", 3),
        up_after=value.get("up_after", 2),
        quorum=value.get("quorum"),
        slow_after_ms=milliseconds(value.get("slow_after", "5s")),
        slow_ratio_percent=round(100 * value.get("slow_ratio", 3)),
        flap_after=value.get("flap_after", 4),
        confirm_every_s=seconds(value["confirm_every"]) if "confirm_every" in value else None,
        tls_warn_s=tuple(sorted(map(seconds, value.get("tls_warn", ("30d", "14d", "7d"))), reverse=True)),
        credential_warn_s=seconds(value.get("credential_warn", "72h")),
        limited_after_s=seconds(value.get("limited_after", "15m")),
        timeout_s=seconds(value.get("timeout", "20s")),
        slo=value.get("slo", "99.9%"),
        burn_alerts=value.get("burn_alerts", False),
        auth=value.get("auth", {}),
        expect_tools=tuple(expect.get("tools", ())),
        expect_min_tools=expect.get("min_tools"),
        expect_server_name=expect.get("server_name"),
        expect_protocol_version=expect.get("protocol_version"),
        era=value.get("era"),
        strict=value.get("strict", False),
        lists=tuple(value.get("lists", ())),
        active_checks=value.get("active_checks", False),
        tool_call=value.get("tool_call"),
        notify=tuple(value["notify"]),
        routed=routed,
        remind_every_s=seconds(value.get("remind_every", "0s")),
        escalate=escalation(value.get("escalate")),
        allow_private=value.get("allow_private", False),
        paused=value.get("paused", False),
    )


__all__ = ["load_config", "milliseconds", "parse_config", "remarks", "schema"]
