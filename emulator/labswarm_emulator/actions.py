"""The IAM action of a request, by botocore's models of the services.

The service is the one that the request is signed for; the operation is where its protocol has it:
https://smithy.io/2.0/aws/protocols/index.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from urllib.parse import parse_qs

import botocore.session
from botocore.model import OperationModel, ServiceModel, StructureShape
from werkzeug.wrappers import Request

SERVICES = (
    *("autoscaling", "cloudformation", "cloudwatch", "dynamodb", "ec2", "events", "iam", "kms"),
    *("lambda", "logs", "s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "stepfunctions"),
    "sts",
)
"""The services that the emulator serves, by botocore's names."""

# Where IAM's prefix is not the signing name, and its action not the operation:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_PREFIXES = {"monitoring": "cloudwatch"}
_ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
}
_SCOPE = re.compile(r"Credential=[^/\s]+/[^/]*/[^/]*/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Asked:
    """A request's IAM action, and the protocol of its answer."""

    action: str
    protocol: str
    """Of botocore's: query, ec2, json, rest-json, rest-xml or smithy-rpc-v2-cbor."""
    json_version: str


def asked(request: Request) -> Asked | None:
    """A request's action; None if it is not signed for a known service."""
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    model = _models().get(scope.group(1)) if scope else None
    if model is None:
        return None
    operation, protocol = _operation(model, request)
    if operation is None:
        return None
    version = str(model.metadata.get("jsonVersion", "1.0"))
    return Asked(action_of(model, operation), protocol, version)


def action_of(model: ServiceModel, operation: str) -> str:
    """The IAM action of a service's operation, such as `lambda:InvokeFunction` of Invoke."""
    prefix = _PREFIXES.get(model.signing_name, model.signing_name)
    return _ACTIONS.get(f"{prefix}:{operation}", f"{prefix}:{operation}")


@cache
def known() -> frozenset[str]:
    """Return every action of SERVICES."""
    models = _models().values()
    return frozenset(action_of(model, name) for model in models for name in model.operation_names)


@cache
def _models() -> Mapping[str, ServiceModel]:
    """The models of SERVICES, by the service name in a request's signature."""
    session = botocore.session.get_session()
    models = [session.get_service_model(service) for service in SERVICES]
    return {model.signing_name: model for model in models}


def _operation(model: ServiceModel, request: Request) -> tuple[str | None, str]:
    """The operation, and the protocol: a service may take several."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], "json"
    if "/operation/" in request.path:
        return request.path.rpartition("/")[2], "smithy-rpc-v2-cbor"
    if model.protocol.startswith("rest"):
        return _of_path(model, request), model.protocol
    protocol = model.protocol if model.protocol in ("query", "ec2") else "query"
    return _form(request).get("Action", [request.args.get("Action")])[0], protocol


def _form(request: Request) -> dict[str, list[str]]:
    """The form in a request's body, which can be read again after."""
    length = request.content_length or 0
    body = request.environ["wsgi.input"].read(length)
    request.environ["wsgi.input"] = BytesIO(body)
    return parse_qs(body.decode("utf-8", "replace"))


def _of_path(model: ServiceModel, request: Request) -> str | None:
    """The operation of a REST protocol: of those that the path fits, the one that says most."""
    fitting = [
        (-len(wanted), name)
        for name, method, path, wanted in _paths(model)
        if method == request.method
        and path.fullmatch(request.path)
        and all(_has(request, one) for one in wanted)
    ]
    return min(fitting)[1] if fitting else None


def _has(request: Request, wanted: tuple[str, str, str | None]) -> bool:
    location, name, value = wanted
    found = request.args.get(name) if location == "querystring" else request.headers.get(name)
    return found is not None and value in (None, found)


@cache
def _paths(
    model: ServiceModel,
) -> list[tuple[str, str, re.Pattern[str], list[tuple[str, str, str | None]]]]:
    """Name, method, path, and the required query and headers, of each operation."""
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        pieces = re.split(r"(\{\w+\+?\})", path.rstrip("/") or "/")
        pattern = "".join(
            (".+" if piece.endswith("+}") else "[^/]+") if piece[:1] == "{" else re.escape(piece)
            for piece in pieces
        )
        wanted = [*_in_query(query), *_required(operation)]
        found.append((name, operation.http["method"], re.compile(f"{pattern}/?"), wanted))
    return found


def _in_query(query: str) -> Iterator[tuple[str, str, str | None]]:
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        yield "querystring", name, value or None


def _required(operation: OperationModel) -> Iterator[tuple[str, str, None]]:
    shape = operation.input_shape
    if not isinstance(shape, StructureShape):
        return
    for name in shape.required_members:
        member = shape.members[name].serialization
        if member.get("location") in ("querystring", "header"):
            yield member["location"], member["name"], None
