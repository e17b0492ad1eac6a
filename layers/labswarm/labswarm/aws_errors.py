"""What an AWS error means to us: one table, from error code to kind."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from labswarm.errors import LabswarmError, Permanent, Transient

# Throttling and service-side codes: those that the SDKs themselves try again
# (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html), and what each
# service's API reference lists under Errors. Anything not here is permanent.
KINDS: Mapping[str, type[LabswarmError]] = {
    "Throttling": Transient,
    "ThrottlingException": Transient,
    "ThrottledException": Transient,
    "RequestThrottled": Transient,
    "RequestThrottledException": Transient,
    "RequestLimitExceeded": Transient,
    "TooManyRequestsException": Transient,
    "TooManyUpdates": Transient,
    "ProvisionedThroughputExceededException": Transient,
    "LimitExceededException": Transient,
    # Another write was faster, or holds the item in a transaction.
    "ConditionalCheckFailedException": Transient,
    "TransactionConflictException": Transient,
    "ResourceContention": Transient,
    "ScalingActivityInProgress": Transient,
    "InternalError": Transient,
    "InternalFailure": Transient,
    "InternalServerError": Transient,
    "ServiceUnavailable": Transient,
    "RequestTimeout": Transient,
    "RequestTimeoutException": Transient,
    "KMSInternalException": Transient,
    "DependencyTimeoutException": Transient,
    # Right after SendCommand: the invocation is not there yet. SSM API, GetCommandInvocation.
    "InvocationDoesNotExist": Transient,
    # Not registered yet, stopped, or never to be: SSM API, SendCommand. Ambiguous, so tried again.
    "InvalidInstanceId": Transient,
    "ValidationError": Permanent,
    "AccessDenied": Permanent,
    "AccessDeniedException": Permanent,
    "UnrecognizedClientException": Permanent,
    "ResourceNotFoundException": Permanent,
    "ParameterNotFound": Permanent,
    "InvalidDocument": Permanent,
    "InvalidParameters": Permanent,
    "NotFoundException": Permanent,
    "DisabledException": Permanent,
}


def code_of(error: BaseException | None) -> str:
    """The code of an AWS error, such as "ThrottlingException", or of the one behind one of ours.

    Empty where there is none: AWS was not reached.
    """
    if isinstance(error, LabswarmError):
        error = error.__cause__
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def classified(error: ClientError) -> LabswarmError:
    """The error of our kinds that an AWS error is."""
    kind = KINDS.get(code_of(error), Permanent)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (Transient if status >= 500 else kind)(str(error))


@contextmanager
def named() -> Iterator[None]:
    """Raise what AWS calls inside raise as one of our kinds; an unreachable AWS is transient."""
    try:
        yield
    except ClientError as error:
        raise classified(error) from error
    except (ConnectionError, HTTPClientError) as error:
        raise Transient(str(error)) from error
