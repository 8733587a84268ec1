"""The CDK application: `cdk synth` and `cdk deploy` run this file.

Context (`-c name=value`): `config`, the file to deploy (lookout.yaml); `local`, true for the local AWS; `localPort`;
`templates`, true to write templates only, which needs no network: the layer of dependencies is not built.
"""

from __future__ import annotations

import sys

import aws_cdk as cdk
from lookout.errors import ConfigError

from infra.application import build
from infra.config import read_deployment


def main() -> int:
    """Exit code 2, and what is wrong where, when the configuration is; nothing is synthesized then."""
    app = cdk.App()
    if str(app.node.try_get_context("templates")).lower() == "true":
        app.node.set_context("aws:cdk:bundling-stacks", [])
    try:
        deployment = read_deployment(app.node)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    build(app, deployment)
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
