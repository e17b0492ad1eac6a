"""Denials and throttling: AWS's refusals of one action, switched on at run time.

Each is answered before the service sees the request, in the form and with the code that the service
has for it: https://smithy.io/2.0/aws/protocols/index.html, and each API reference's common errors.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from moto.moto_api._internal import mock_random
from werkzeug.wrappers import Request, Response

from labswarm_emulator.actions import Asked, asked
from labswarm_emulator.emulator import ACCOUNT, Emulator
from labswarm_emulator.faults import DenialFaults, RateFaults, ThrottlingFaults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True)
class Refusal:
    """An error's code, and the status it is answered with."""

    code: str
    status: int


# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html,
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html
# and the like. A service with codes of its own has its source next to it.
_DENIED: Mapping[str, Refusal] = {
    "query": Refusal("AccessDenied", 403),
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    "ec2": Refusal("UnauthorizedOperation", 403),
    "json": Refusal("AccessDeniedException", 400),
    "rest-json": Refusal("AccessDeniedException", 403),
    "rest-xml": Refusal("AccessDenied", 403),
    "smithy-rpc-v2-cbor": Refusal("AccessDenied", 403),
}
_DENIED_BY: Mapping[str, Refusal] = {
    # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    "sns": Refusal("AuthorizationError", 403),
    "cloudwatch": Refusal("AccessDenied", 403),
}
_THROTTLED: Mapping[str, Refusal] = {
    "query": Refusal("Throttling", 400),
    "ec2": Refusal("RequestLimitExceeded", 503),
    "json": Refusal("ThrottlingException", 400),
    "rest-json": Refusal("ThrottlingException", 429),
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "rest-xml": Refusal("SlowDown", 503),
    "smithy-rpc-v2-cbor": Refusal("Throttling", 400),
}
_THROTTLED_BY: Mapping[str, Refusal] = {
    # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    "lambda": Refusal("TooManyRequestsException", 429),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    "sqs": Refusal("RequestThrottled", 400),
    "cloudwatch": Refusal("Throttling", 400),
}


def with_refusals(aws: "WSGIApplication", emulator: Emulator) -> "WSGIApplication":
    """Add the refusals that are on to AWS's APIs."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        faults = emulator.faults
        denials, throttling = faults.on(DenialFaults), faults.on(ThrottlingFaults)
        rates = faults.on(RateFaults)
        if not denials.actions and not throttling.calls and not rates.calls_per_s:
            return aws(environ, start_response)
        wanted = asked(Request(environ, populate_request=False))
        answer: Response | None = None
        if wanted and denials.denies(wanted.action):
            emulator.record.write("faults", "denied", action=wanted.action)
            answer = denied(wanted)
        elif wanted and (
            throttling.throttles(wanted.action)
            or rates.throttles(wanted.action, emulator.clock.elapsed())
        ):
            emulator.record.write("faults", "throttled", action=wanted.action)
            answer = throttled(wanted)
        return (answer or aws)(environ, start_response)

    return application


def denied(wanted: Asked) -> Response:
    """Return IAM's refusal."""
    refusal = _DENIED_BY.get(_service(wanted), _DENIED[wanted.protocol])
    message = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/someone is not authorized to perform: "
        f"{wanted.action} because no identity-based policy allows the {wanted.action} action"
    )
    return _FORMS[wanted.protocol](wanted, refusal, message)


def throttled(wanted: Asked) -> Response:
    """Return the service's refusal of a call above its rate."""
    refusal = _THROTTLED_BY.get(_service(wanted), _THROTTLED[wanted.protocol])
    return _FORMS[wanted.protocol](wanted, refusal, "Rate exceeded")


def _service(wanted: Asked) -> str:
    return wanted.action.partition(":")[0]


def _query(_wanted: Asked, refusal: Refusal, message: str) -> Response:
    said = f"<Type>Sender</Type>{_said(refusal, message)}"
    body = f"<ErrorResponse><Error>{said}</Error><RequestId>{_id()}</RequestId></ErrorResponse>"
    return Response(body, refusal.status, content_type="text/xml")


def _ec2(_wanted: Asked, refusal: Refusal, message: str) -> Response:
    errors = f"<Errors><Error>{_said(refusal, message)}</Error></Errors>"
    body = f"<Response>{errors}<RequestID>{_id()}</RequestID></Response>"
    return Response(body, refusal.status, content_type="text/xml;charset=UTF-8")


def _s3(_wanted: Asked, refusal: Refusal, message: str) -> Response:
    body = f"<Error>{_said(refusal, message)}<RequestId>{_id()}</RequestId></Error>"
    return Response(body, refusal.status, content_type="application/xml")


def _json(wanted: Asked, refusal: Refusal, message: str) -> Response:
    body = json.dumps({"__type": refusal.code, "message": message})
    kind = f"application/x-amz-json-{wanted.json_version}"
    answer = Response(body, refusal.status, {"x-amzn-RequestId": _id()}, content_type=kind)
    if _service(wanted) in ("sqs", "cloudwatch"):  # which had the query protocol before
        answer.headers["x-amzn-query-error"] = f"{refusal.code};Sender"
    return answer


def _rest_json(_wanted: Asked, refusal: Refusal, message: str) -> Response:
    headers = {"x-amzn-ErrorType": refusal.code, "x-amzn-RequestId": _id()}
    body = json.dumps({"Message": message})
    return Response(body, refusal.status, headers, content_type="application/json")


def _cbor(_wanted: Asked, refusal: Refusal, message: str) -> Response:
    # A map of two texts; a text of up to 255 bytes is 0x78, its length, and itself (RFC 8949).
    def text(value: str) -> bytes:
        encoded = value.encode()[:255]
        return bytes((0x78, len(encoded))) + encoded

    body = b"\xa2" + text("__type") + text(refusal.code) + text("message") + text(message)
    headers = {"smithy-protocol": "rpc-v2-cbor", "x-amzn-query-error": f"{refusal.code};Sender"}
    return Response(body, refusal.status, headers, content_type="application/cbor")


def _said(refusal: Refusal, message: str) -> str:
    return f"<Code>{refusal.code}</Code><Message>{escape(message)}</Message>"


def _id() -> str:
    return str(mock_random.uuid4())


_FORMS: Mapping[str, Callable[[Asked, Refusal, str], Response]] = {
    "query": _query,
    "ec2": _ec2,
    "json": _json,
    "rest-json": _rest_json,
    "rest-xml": _s3,
    "smithy-rpc-v2-cbor": _cbor,
}
