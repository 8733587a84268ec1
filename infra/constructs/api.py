"""The public HTTP API: read-only routes to the api function."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigw
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.config import Deployment
from infra.constructs.function import LookoutFunction

PATHS: Final = ("/api/{proxy+}", "/badge/{proxy+}", "/metrics", "/probe")
METHODS: Final = (apigw.HttpMethod.GET, apigw.HttpMethod.HEAD)
RATE_PER_S: Final = 50
BURST: Final = 100


class PublicApi(Construct):
    """`url` is known before the function is, and `origin`: the site needs it, and the function needs the site's URL."""

    def __init__(self, scope: Construct, id_: str, deployment: Deployment) -> None:
        super().__init__(scope, id_)
        stack = cdk.Stack.of(self)
        self._api = apigw.HttpApi(self, "Http", api_name="lookout", create_default_stage=False)
        apigw.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigw.ThrottleSettings(rate_limit=RATE_PER_S, burst_limit=BURST),
        )
        api_id = self._api.api_id
        domain = f"{api_id}.execute-api.{stack.region}.{stack.url_suffix}"
        self.url = f"https://{domain}"
        self.origin: cloudfront.IOrigin = origins.HttpOrigin(domain)
        if deployment.local:
            self.url = f"http://{api_id}.execute-api.localhost:{deployment.local_port}"
            # Names under localhost do not resolve everywhere, and the local CloudFront looks its origins up.
            self.origin = origins.HttpOrigin(
                "localhost",
                origin_path=f"/_aws/execute-api/{api_id}/$default",
                protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
                http_port=deployment.local_port,
            )

    def serve_with(self, function: LookoutFunction) -> None:
        """Route every path to the function."""
        integration = HttpLambdaIntegration("Api", function.function)
        for path in PATHS:
            self._api.add_routes(path=path, methods=list(METHODS), integration=integration)
