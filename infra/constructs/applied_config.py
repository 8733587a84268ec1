"""The configuration, applied: a custom resource that hands the deployed lookout.yaml to the apply function."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_s3_assets as assets
from constructs import Construct
from lookout.config.model import Config

from infra.constructs.function import LookoutFunction

RESOURCE_TYPE: Final = "Custom::LookoutConfig"


class ConfigAsset(Construct):
    """The configuration as a JSON file in the assets bucket; `digest` is the SHA-256 of its bytes."""

    def __init__(self, scope: Construct, id_: str, config: Config) -> None:
        super().__init__(scope, id_)
        body = json.dumps(config.to_json(), indent=1, sort_keys=True).encode()
        self.digest = hashlib.sha256(body).hexdigest()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "lookout.json")
            path.write_bytes(body)
            self.asset = assets.Asset(self, "Asset", path=str(path))

    @property
    def arn(self) -> str:
        """Of the object."""
        return self.asset.bucket.arn_for_objects(self.asset.s3_object_key)


class AppliedConfig(Construct):
    """Changes when the configuration's bytes do; its update is the application of that configuration."""

    def __init__(self, scope: Construct, id_: str, *, source: ConfigAsset, apply: LookoutFunction) -> None:
        super().__init__(scope, id_)
        self.resource = cdk.CustomResource(
            self,
            "Resource",
            service_token=apply.function.function_arn,
            resource_type=RESOURCE_TYPE,
            service_timeout=cdk.Duration.minutes(5),
            properties={
                "AssetBucket": source.asset.s3_bucket_name,
                "AssetKey": source.asset.s3_object_key,
                "Digest": source.digest,
            },
        )
        self.resource.node.add_dependency(apply.policy)
