"""`lookout deploy` and `lookout destroy`: a few checks, then the CDK CLI, then what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from lookout import settings
from lookout.cli.options import config_option
from lookout.config.model import Config
from lookout.config.references import Reference, references
from lookout.errors import LocalError
from lookout.local import cdk
from lookout.local.layout import Layout, find_root

HOME_STACK = "LookoutHome"
TABLES = (settings.SERVERS_TABLE, settings.ROUNDS_TABLE, settings.HISTORY_TABLE, settings.INCIDENTS_TABLE)
USUAL = Path("lookout.yaml")
configured = config_option("What is deployed.")
unasked = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What an account looks like before a deployment. `kept`: tables an earlier Lookout left, without its stack."""

    account: str
    arn: str
    unprepared: tuple[str, ...]
    missing: tuple[Reference, ...]
    kept: tuple[str, ...]


def wanted_references(config: Config) -> list[Reference]:
    """The secrets and parameters a configuration refers to, each once (whatever member of it), sorted."""
    values = [[server.auth for server in config.servers], config.site.addresses]
    found = {(found.store, found.name) for found in references(values) if found.store != "env"}
    return [Reference(store, name) for store, name in sorted(found)]


def regions_of(config: Config) -> list[str]:
    """Home first, then the probing regions, each once."""
    return list(dict.fromkeys((config.site.home, *config.site.regions)))


def stack_names(config: Config) -> list[str]:
    """What infra calls the stacks of a configuration."""
    return [HOME_STACK, *(f"LookoutProbe-{region}" for region in config.site.regions)]


def _count(config: Config) -> str:
    return f"{len(config.servers)} server{'' if len(config.servers) == 1 else 's'}"


def inspect(config: Config) -> Preflight:
    """Look at the account, and change nothing. Raises LocalError, which names every region that is in the way."""
    from lookout.local import account

    home = config.site.home
    number, arn = account.identity(home)
    unprepared, refused = [], []
    for region in regions_of(config):
        try:
            if not account.bootstrapped(region):
                unprepared.append(region)
        except LocalError as error:
            refused.append(str(error))
    if refused:
        raise LocalError("\n".join(["nothing was deployed:", *refused]))
    lookup = {"secret": account.secret_exists, "ssm": account.parameter_exists}
    missing = [found for found in wanted_references(config) if not lookup[found.store](home, found.name)]
    new = not account.stack_exists(home, HOME_STACK)
    kept = account.kept_tables(home, TABLES) if new else []
    return Preflight(number, arn, tuple(unprepared), tuple(missing), tuple(kept))


def how_to_create(reference: Reference, home: str) -> str:
    """The command that creates what `reference` names; its value is typed, and not kept in the shell's history."""
    if reference.store == "ssm":
        return f'aws ssm put-parameter --region {home} --type SecureString --name {reference.name} --value "$(cat)"'
    return f"aws secretsmanager create-secret --region {home} --name {reference.name} --secret-string file:///dev/stdin"


def summary(
    config: Config, outputs: Mapping[str, Mapping[str, str]], missing: tuple[Reference, ...], path: Path = USUAL
) -> str:
    """What was made, where it is, and what to do next."""
    site = config.site
    made = {key: value for values in outputs.values() for key, value in values.items()}
    page, api = made.get("SiteUrl", "").rstrip("/"), made.get("ApiUrl", "").rstrip("/")
    lines = ["", f"Lookout is deployed: {_count(config)}, probed from {', '.join(site.regions)}.", ""]
    places = {"Status page": page, "API": api, "Metrics": f"{page}/metrics" if page else ""}
    lines += [f"  {title:<13}{url}" for title, url in places.items() if url]
    lines += [f"  {'Stacks':<13}{', '.join(stack_names(config))}", "", "What to do next:"]
    for found in missing:
        what = "parameter" if found.store == "ssm" else "secret"
        lines += [
            f"  - Create the {what} {found.name!r}, which is missing (type the value, then Ctrl-D):",
            f"      {how_to_create(found, site.home)}",
        ]
    again = "" if path == USUAL else f" --config {path}"
    lines += [
        "  - See the first verdicts, in about two minutes:",
        f"      .venv/bin/lookout status{again}",
        "  - Hear of Lookout's own trouble: subscribe to its alarms, as docs/runbook.md says in its first lines.",
    ]
    return "\n".join(lines)


def _load(path: Path) -> Config:
    from lookout.config.load import load_config

    return load_config(path)


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise LocalError(f"{question} There is nobody to ask: say --yes (make: ARGS=--yes).")
    click.confirm(question, abort=True)


@click.command()
@configured
@unasked
@click.option("--json", "as_json", is_flag=True, help="Print the stacks' outputs as JSON, and nothing else.")
def deploy(config: Path, *, yes: bool, as_json: bool) -> None:
    """Deploy lookout.yaml to the AWS account of your credentials, preparing its regions where needed."""
    layout, wanted = Layout.of(find_root()), _load(config)
    site = wanted.site
    found = inspect(wanted)
    say = (lambda text: click.echo(text, err=True)) if as_json else click.echo
    say(f"Account {found.account}, as {found.arn}")
    say(f"Home {site.home}; probing from {', '.join(site.regions)}; {_count(wanted)}")
    if found.unprepared:
        say(f"To be bootstrapped for CDK: {', '.join(found.unprepared)}")
    if found.missing:
        say(f"Secrets that do not exist yet in {site.home}: {', '.join(map(str, found.missing))}")
    if found.kept:
        say(f"Tables of an earlier Lookout that are taken over, with what is in them: {', '.join(found.kept)}")
    _ask("Deploy?", yes=yes)
    if found.unprepared:
        cdk.bootstrap(layout, found.account, found.unprepared, aws=None, echo=say)
    outputs = cdk.deploy(
        layout,
        config.resolve(),
        aws=None,
        local=False,
        outputs_file=layout.state / "aws-outputs.json",
        adopt=bool(found.kept),
        echo=say,
    )
    click.echo(json.dumps(outputs, indent=2) if as_json else summary(wanted, outputs, found.missing, config))


@click.command()
@configured
@unasked
def destroy(config: Path, *, yes: bool) -> None:
    """Remove Lookout's stacks from the AWS account of your credentials."""
    from lookout.local.account import identity

    layout, wanted = Layout.of(find_root()), _load(config)
    account, arn = identity(wanted.site.home)
    click.echo(f"Account {account}, as {arn}")
    _ask(f"Remove Lookout from {', '.join(regions_of(wanted))}?", yes=yes)
    arguments = ["destroy", "--all", "--force", *cdk.context(config.resolve(), local=False)]
    cdk.run(layout, arguments, aws=None, log=layout.logs / "destroy.log", echo=click.echo)
    click.echo(
        "Removed. Kept on purpose: the tables with your history, the buckets, and the CDK bootstrap.\n"
        "`make deploy` takes the tables over again; docs/runbook.md says how to delete them."
    )
