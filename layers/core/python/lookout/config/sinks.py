"""What a sink may be given in lookout.yaml, by its kind, and what is wrong with it. Pure.

A kind is the key that says where notices go. Its value is an address, a reference to a secret, or the name of something
in AWS; the other keys are its options.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lookout.config.addresses import address_problem
from lookout.config.digests import digest_problems, digests
from lookout.config.document import Path
from lookout.config.model import Sink
from lookout.config.quiets import quiet, quiet_problems
from lookout.config.references import is_reference
from lookout.config.secrecy import reference_problem, store_it
from lookout.config.structure import Found
from lookout.notify.template import problems as template_problems


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of sink. `takes` is address (it may stand in the file, or be a reference), secret (a reference) or aws.

    `what` is what the value is called; `keys` are its own options and `needs` those the schema asks for; `anywhere`
    says that the address is the user's, so that `allow_private` means something.
    """

    takes: str
    what: str = "an address"
    keys: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    anywhere: bool = True


KINDS: Final[Mapping[str, Kind]] = {
    "webhook": Kind("address", keys=("signing", "headers", "format", "compat", "template")),
    "slack": Kind("secret", "a Slack address"),
    "slack_bot": Kind("secret", "a Slack bot token", needs=("channel",), anywhere=False),
    "alertmanager": Kind("address", keys=("headers", "bearer")),
    "pagerduty": Kind("secret", "a PagerDuty integration key", keys=("region",), anywhere=False),
    "opsgenie": Kind("secret", "an Opsgenie API key", keys=("region",), anywhere=False),
    "discord": Kind("secret", "a Discord address"),
    "teams": Kind("secret", "a Teams workflow's address"),
    "google_chat": Kind("secret", "a Google Chat address"),
    "telegram": Kind("secret", "a Telegram bot token", needs=("chat",), anywhere=False),
    "ntfy": Kind("address", keys=("token",)),
    "email": Kind("aws", needs=("from",), anywhere=False),
    "sns": Kind("aws", anywhere=False),
    "eventbridge": Kind("aws", anywhere=False),
}
ANY: Final = ("allow_private", "digests", "quiet")
"""Keys that are no kind's own."""
_BODIES: Final = ("format", "compat", "template")
_TEMPLATE_BYTES: Final = 16_384
_HOSTS: Final = {
    r"hooks\.slack(-gov)?\.com": ("slack", "a Slack"),
    r"(\w+\.)?discord(app)?\.com": ("discord", "a Discord"),
    r"chat\.googleapis\.com": ("google_chat", "a Google Chat"),
    r"[\w.-]+\.(logic\.azure\.com|webhook\.office\.com|api\.powerplatform\.com)(:443)?": ("teams", "a Teams"),
}
"""Hosts whose addresses are secrets, and the kind they belong to."""
_OURS: Final = re.compile(
    r"accept-encoding|connection|content-(?:encoding|length|type)|host|te|trailer|transfer-encoding|upgrade"
    r"|user-agent|webhook-.*",
    re.IGNORECASE,
)
_SECRET_HEADER: Final = re.compile(r"auth|cookie|credential|key|pass|secret|signature|token", re.IGNORECASE)
_TOPIC: Final = re.compile(r"https?://[^/?#]+(?:/[^?#]*)?/[-_A-Za-z0-9]{1,64}")


def kind_of(value: Mapping[str, Any]) -> str:
    """The kind of a sink of the right form."""
    return next(kind for kind in KINDS if kind in value)


def sink_of(name: str, value: Mapping[str, Any], timezone: str) -> Sink:
    """The sink of a part of lookout.yaml that has no problems. `timezone`: the site's."""
    kind = kind_of(value)
    signing = value.get("signing")
    own = {key: value[key] for key in (*KINDS[kind].keys, *KINDS[kind].needs) if key in value and key != "signing"}
    return Sink(
        name=name,
        kind=kind,
        url="" if kind == "email" else value[kind],
        signing=" ".join(signing) if isinstance(signing, list) else signing,
        allow_private=value.get("allow_private", False),
        options={**own, "to": value["email"]} if kind == "email" else own,
        quiet=quiet(value.get("quiet", ()), timezone),
        digests=digests(value.get("digests", ()), timezone),
    )


def sink_problems(path: Path, name: str, value: Mapping[str, Any], home: str, timezone: str) -> Iterator[Found]:
    """Every problem of meaning; what is of the wrong form must have been taken out. `timezone`: the site's."""
    kinds = [kind for kind in KINDS if kind in value]
    for kind in kinds:
        yield from _place(path, name, value, kind, home)
    if len(kinds) == 1:
        yield from _belonging(path, value, kinds[0])
        if value.get("quiet") is not None:
            yield from quiet_problems((*path, "quiet"), value["quiet"], kinds[0], timezone)
        if value.get("digests") is not None:
            yield from digest_problems((*path, "digests"), value["digests"], kinds[0])
    yield from _options(path, name, value, home)


def _place(path: Path, name: str, value: Mapping[str, Any], kind: str, home: str) -> Iterator[Found]:
    """Where notices go."""
    text, rules, at = value[kind], KINDS[kind], (*path, kind)
    if rules.takes == "secret":
        yield from reference_problem(at, text, rules.what, _named(name, kind), home)
    elif rules.takes == "address" and is_reference(text):
        yield from reference_problem(at, text, rules.what, f"{name}-address", home)
    elif rules.takes == "address":
        if problem := address_problem(text, private=value.get("allow_private", False)):
            yield at, problem
        elif kind == "ntfy" and not _TOPIC.fullmatch(text):
            yield at, "must end in a topic (letters, digits, _ and -), as in https://ntfy.sh/acme-alerts-x7Kq"
        for host, (other, what) in _HOSTS.items():
            if re.match(rf"https://{host}/", text, re.IGNORECASE):
                yield at, f"is {what} address, and a secret: {store_it(_named(name, other), home, other)}"


def _named(name: str, kind: str) -> str:
    """What a secret of the sink may be called."""
    return f"{name}-{kind.replace('_', '-')}"


def _belonging(path: Path, value: Mapping[str, Any], kind: str) -> Iterator[Found]:
    """Options that are another kind's, or say the same twice."""
    rules = KINDS[kind]
    for key in value:
        if key == "allow_private" and not rules.anywhere:
            yield (*path, key), f"means nothing for {kind}: it has one address, which is public. Remove it"
        elif key not in (kind, *ANY, *rules.keys, *rules.needs):
            owners = [other for other, theirs in KINDS.items() if key in (*theirs.keys, *theirs.needs)]
            yield (*path, key), f"is a key of {' and '.join(owners)}, not of {kind}: remove it"
    if len(bodies := [key for key in _BODIES if key in value]) > 1:
        yield (*path, bodies[1]), f"says what is sent, and so does {bodies[0]}: keep one of them"


def _options(path: Path, name: str, value: Mapping[str, Any], home: str) -> Iterator[Found]:
    signing = value.get("signing", [])
    for i, text in enumerate([signing] if isinstance(signing, str) else signing):
        at = (*path, "signing") if isinstance(signing, str) else (*path, "signing", i)
        if text is not None:
            found = reference_problem((*path, "signing"), text, "a signing secret", f"{name}-signing", home)
            yield from ((at, problem) for _, problem in found)
    for key in ("bearer", "token"):
        if key in value:
            yield from reference_problem((*path, key), value[key], "a token", f"{name}-token", home)
    yield from _headers((*path, "headers"), name, value.get("headers", {}), home)
    if "template" in value:
        yield from _template((*path, "template"), value["template"])


def _headers(path: Path, name: str, headers: Mapping[str, Any], home: str) -> Iterator[Found]:
    seen: set[str] = set()
    for header, text in headers.items():
        if _OURS.fullmatch(header):
            yield (*path, header), "is set by Lookout itself: remove it"
        elif header.lower() in seen:
            yield (*path, header), "is set twice (letter case makes no difference): remove one of them"
        elif is_reference(text) or _SECRET_HEADER.search(header):
            yield from reference_problem((*path, header), text, "a credential", f"{name}-header", home)
        elif not re.fullmatch(r"[\x21-\x7e]+( [\x21-\x7e]+)*", text):
            yield (*path, header), "must be printable ASCII, with single spaces at most"
        seen.add(header.lower())


def _template(path: Path, template: Mapping[str, Any]) -> Iterator[Found]:
    if len(json.dumps(template).encode()) > _TEMPLATE_BYTES:
        yield path, "is larger than 16 KiB"
    else:
        yield from ((path, problem) for problem in dict.fromkeys(template_problems(template)))
