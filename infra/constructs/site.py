"""The status page's address: CloudFront in front of a private bucket of pages and of the API.

Pages and their css and js are put into the bucket by the publish function; a deployment uploads none.
"""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import Deployment
from infra.constructs.api import PATHS, PublicApi

CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
QUERY: Final = ("label", "metric", "module", "style", "target", "window")
"""The query parameters the API knows: others neither reach it nor split the cache."""
NOT_FOUND: Final = "404.html"
INDEX: Final = "index.html"
_HSTS_DAYS: Final = 365
_INDEX_JS: Final = """function handler(event) {
  var request = event.request;
  var last = request.uri.slice(request.uri.lastIndexOf('/') + 1);
  if (last === '') {
    request.uri += 'index.html';
  } else if (last.indexOf('.') < 0) {
    return {statusCode: 302, statusDescription: 'Found', headers: {location: {value: request.uri + '/'}}};
  }
  return request;
}
"""
"""/status/x/ is the object status/x/index.html; /status/x is sent to /status/x/, as an S3 website does."""


class Site(Construct):
    """Pages and API under one origin. `url` has no trailing slash; the local AWS serves plain HTTP."""

    def __init__(self, scope: Construct, id_: str, deployment: Deployment, api: PublicApi) -> None:
        super().__init__(scope, id_)
        self.bucket = private_bucket(self, "Bucket", local=deployment.local)
        page_headers = self._headers("PageHeaders", CSP)
        api_headers = self._headers("ApiHeaders", None)
        index = cloudfront.Function(
            self,
            "Index",
            code=cloudfront.FunctionCode.from_inline(_INDEX_JS),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            comment="Lookout: folders to their index pages",
        )
        answers = self._api_cache("ApiCache", cloudfront.CacheHeaderBehavior.none())
        # The metrics come in two formats, told apart by Accept.
        metrics = self._api_cache("MetricsCache", cloudfront.CacheHeaderBehavior.allow_list("Accept"))
        policies = cloudfront.ViewerProtocolPolicy
        protocol = policies.ALLOW_ALL if deployment.local else policies.REDIRECT_TO_HTTPS

        def to_api(path: str) -> cloudfront.BehaviorOptions:
            return cloudfront.BehaviorOptions(
                origin=api.origin,
                cache_policy=metrics if path in ("/metrics", "/probe") else answers,
                response_headers_policy=api_headers,
                viewer_protocol_policy=protocol,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            )

        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment="Lookout status page",
            default_root_object=INDEX,
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(self.bucket),
                cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=page_headers,
                viewer_protocol_policy=protocol,
                allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
                function_associations=[
                    cloudfront.FunctionAssociation(
                        function=index, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
                    )
                ],
            ),
            additional_behaviors={path.replace("{proxy+}", "*"): to_api(path) for path in PATHS},
            error_responses=[
                # A private bucket says 403 for what it does not have. The API's own 404s pass as they are.
                cloudfront.ErrorResponse(
                    http_status=403,
                    response_http_status=404,
                    response_page_path=f"/{NOT_FOUND}",
                    ttl=cdk.Duration.seconds(10),
                )
            ],
        )
        self.url = f"https://{distribution.distribution_domain_name}"
        if deployment.local:
            label = cdk.Fn.select(0, cdk.Fn.split(".", distribution.distribution_domain_name))
            self.url = f"http://{label}.cloudfront.localhost:{deployment.local_port}"

    def _api_cache(self, id_: str, headers: cloudfront.CacheHeaderBehavior) -> cloudfront.CachePolicy:
        return cloudfront.CachePolicy(
            self,
            id_,
            comment="Lookout: as long as the API says",
            min_ttl=cdk.Duration.seconds(0),
            default_ttl=cdk.Duration.seconds(0),
            max_ttl=cdk.Duration.days(1),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.allow_list(*QUERY),
            header_behavior=headers,
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _headers(self, id_: str, csp: str | None) -> cloudfront.ResponseHeadersPolicy:
        policy = (
            None
            if csp is None
            else cloudfront.ResponseHeadersContentSecurityPolicy(content_security_policy=csp, override=True)
        )
        return cloudfront.ResponseHeadersPolicy(
            self,
            id_,
            comment="Lookout",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=policy,
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.STRICT_ORIGIN_WHEN_CROSS_ORIGIN, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=cdk.Duration.days(_HSTS_DAYS), include_subdomains=True, override=True
                ),
            ),
        )


def private_bucket(scope: Construct, id_: str, *, local: bool, name: str | None = None) -> s3.Bucket:
    """A bucket only our functions and, for the site, CloudFront read. On AWS it outlives the stack."""
    return s3.Bucket(
        scope,
        id_,
        bucket_name=name,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=not local,
        removal_policy=cdk.RemovalPolicy.DESTROY if local else cdk.RemovalPolicy.RETAIN,
        lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=cdk.Duration.days(1))],
    )
