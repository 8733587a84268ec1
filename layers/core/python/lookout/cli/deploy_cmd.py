"""`lookout deploy` and `lookout destroy`: a few checks, then the CDK CLI, then what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from lookout.config.model import Config
from lookout.errors import LocalError
from lookout.local import cdk
from lookout.local.layout import Layout, find_root

SECRET = "secret:"  # noqa: S105 -- the prefix of a reference
configured = click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path),
    default=Path("lookout.yaml"),
    show_default=True,
    help="What is deployed.",
)
unasked = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def secret_names(config: Config) -> list[str]:
    """The names of all secrets a configuration refers to, sorted."""

    def values() -> Iterator[str | None]:
        for server in config.servers:
            for value in server.auth.values():
                yield from value.values() if isinstance(value, Mapping) else (value,)
        for sink in config.site.sinks:
            yield from (sink.url, sink.signing)

    return sorted({v.removeprefix(SECRET) for v in values() if isinstance(v, str) and v.startswith(SECRET)})


def regions_of(config: Config) -> list[str]:
    """Home first, then the probing regions, each once."""
    return list(dict.fromkeys((config.site.home, *config.site.regions)))


def summary(config: Config, outputs: Mapping[str, Mapping[str, str]], missing_secrets: list[str]) -> str:
    """What was made, where it is, and what to do next."""
    site = config.site
    lines = [f"Lookout is deployed: {len(config.servers)} servers, probed from {', '.join(site.regions)}."]
    for stack, values in outputs.items():
        lines += [f"  {stack}.{key}: {value}" for key, value in sorted(values.items())]
    lines.append("The first verdicts come within two minutes: lookout status")
    for name in missing_secrets:
        lines.append(
            f"Still to do: the secret {name!r} is missing. aws secretsmanager create-secret --region {site.home}"
        )
        lines.append(f"             --name {name} --secret-string file:///dev/stdin")
    return "\n".join(lines)


def _load(path: Path) -> Config:
    from lookout.config.load import load_config

    return load_config(path)


def _ask(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise LocalError(f"{question} There is nobody to ask: say --yes.")
    click.confirm(question, abort=True)


@click.command()
@configured
@unasked
@click.option("--json", "as_json", is_flag=True, help="Print the stacks' outputs as JSON, and nothing else.")
def deploy(config: Path, *, yes: bool, as_json: bool) -> None:
    """Deploy lookout.yaml to the AWS account of your credentials, preparing its regions where needed."""
    from lookout.local.account import bootstrapped, identity, secret_exists

    layout, wanted = Layout.of(find_root()), _load(config)
    home = wanted.site.home
    account, arn = identity(home)
    unprepared = [region for region in regions_of(wanted) if not bootstrapped(region)]
    missing = [name for name in secret_names(wanted) if not secret_exists(home, name)]
    say = (lambda text: click.echo(text, err=True)) if as_json else click.echo
    say(f"Account {account}, as {arn}")
    say(f"Home {home}; probing from {', '.join(wanted.site.regions)}; {len(wanted.servers)} servers")
    if unprepared:
        say(f"To be bootstrapped for CDK: {', '.join(unprepared)}")
    if missing:
        say(f"Secrets that do not exist yet in {home}: {', '.join(missing)}")
    _ask("Deploy?", yes=yes)
    if unprepared:
        cdk.bootstrap(layout, account, unprepared, aws=None, echo=say)
    outputs = cdk.deploy(
        layout, config.resolve(), aws=None, local=False, outputs_file=layout.state / "aws-outputs.json", echo=say
    )
    click.echo(json.dumps(outputs, indent=2) if as_json else summary(wanted, outputs, missing))


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
    click.echo("Removed. What the stacks keep on purpose (tables with history, the CDK bootstrap) is still there.")
