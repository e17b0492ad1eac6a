"""Every error of AWS, Docker and the Chef Server that can occur, its kind, and where that is from.

A kind decides the caller's reaction (labswarm.errors). An error of AWS without a line is transient:
AWS adds codes, and an unknown one is tried again. Of Docker and the Chef Server it is permanent,
except an answer of a server that failed itself (HTTP status 500 or more), which is transient. The
page docs/reference/errors.md is made of this table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from labswarm.errors import Gone, LabswarmError, Permanent, Throttled, Transient

Kind = type[LabswarmError]


@dataclass(frozen=True)
class AwsErrors:
    """Errors of AWS, by their codes and, where one says too little, by a `text` in the message."""

    codes: tuple[str, ...]
    kind: Kind
    source: str
    text: str = ""


@dataclass(frozen=True)
class HttpError:
    """An answer, by its HTTP status (None: any) and a `text` in it."""

    status: int | None
    text: str
    kind: Kind
    source: str


_API = "https://docs.aws.amazon.com"
_ASG = f"{_API}/autoscaling/ec2/APIReference"
_SSM = f"{_API}/systems-manager/latest/APIReference"
_SFN = f"{_API}/step-functions/latest/apireference"
_KMS = f"{_API}/kms/latest/APIReference/API_Sign.html"
_SNS = f"{_API}/sns/latest/api/API_Publish.html"
_DDB = f"{_API}/amazondynamodb/latest/APIReference/API_PutItem.html"
_RETRIES = f"{_API}/sdkref/latest/guide/feature-retry-behavior.html"
_COMMON = f"{_ASG}/CommonErrors.html"

# The first line that fits decides.
AWS: Sequence[AwsErrors] = (
    # Completed, expired, or overtaken: the instance waits no more.
    AwsErrors(
        ("ValidationError",),
        Gone,
        f"{_API}/autoscaling/ec2/userguide/completing-lifecycle-hooks.html",
        text="No active Lifecycle Action",
    ),
    # The errors that the SDKs retry themselves: throttles, and failures of the service.
    AwsErrors(
        (
            *("Throttling", "ThrottlingException", "ThrottledException"),
            *("RequestThrottled", "RequestThrottledException", "RequestLimitExceeded"),
            *("TooManyRequestsException", "ProvisionedThroughputExceededException"),
            *("LimitExceededException", "SlowDown", "BandwidthLimitExceeded"),
            *("EC2ThrottledException", "PriorRequestNotComplete", "TransactionInProgressException"),
        ),
        Throttled,
        _RETRIES,
    ),
    AwsErrors(
        (
            *("RequestTimeout", "RequestTimeoutException"),
            *("InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable"),
        ),
        Transient,
        _RETRIES,
    ),
    # Another write was faster, or holds the item in a transaction.
    AwsErrors(
        (
            *("ConditionalCheckFailedException", "TransactionConflictException"),
            "ReplicatedWriteConflictException",
        ),
        Transient,
        _DDB,
    ),
    AwsErrors(("ItemCollectionSizeLimitExceededException",), Permanent, _DDB),
    AwsErrors(("ResourceContention",), Transient, f"{_ASG}/API_CompleteLifecycleAction.html"),
    AwsErrors(("ScalingActivityInProgress",), Transient, f"{_ASG}/API_SetDesiredCapacity.html"),
    AwsErrors(("ServiceLinkedRoleFailure",), Transient, f"{_ASG}/API_UpdateAutoScalingGroup.html"),
    AwsErrors(("InvalidNextToken",), Permanent, f"{_ASG}/API_DescribeAutoScalingGroups.html"),
    AwsErrors(
        (
            *("ValidationError", "AccessDenied", "AccessDeniedException"),
            *("UnrecognizedClientException", "ValidationException", "ResourceNotFoundException"),
        ),
        Permanent,
        _COMMON,
    ),
    AwsErrors(
        (
            *("UnauthorizedOperation", "AuthFailure", "OptInRequired", "InvalidClientTokenId"),
            *("SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"),
            *("InvalidAction", "MissingParameter", "InvalidParameterCombination"),
            "InvalidParameterValue",
        ),
        Permanent,
        f"{_API}/AWSEC2/latest/APIReference/errors-overview.html",
    ),
    AwsErrors(
        (
            *("BadRequest", "FileSystemNotFound", "AccessPointNotFound"),
            "MountTargetNotFound",
        ),
        Permanent,
        f"{_API}/efs/latest/ug/API_DescribeMountTargets.html",
    ),
    AwsErrors(
        ("NoSuchResourceException", "IllegalArgumentException"),
        Permanent,
        f"{_API}/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html",
    ),
    AwsErrors(
        ("InvalidPaginationTokenException",),
        Permanent,
        f"{_API}/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html",
    ),
    AwsErrors(
        ("ServiceException",),
        Transient,
        f"{_API}/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html",
    ),
    # Right after SendCommand the invocation is not there yet.
    AwsErrors(("InvocationDoesNotExist",), Transient, f"{_SSM}/API_GetCommandInvocation.html"),
    # Not registered yet, stopped, or never to be: ambiguous, so tried again.
    AwsErrors(("InvalidInstanceId", "TooManyUpdates"), Transient, f"{_SSM}/API_SendCommand.html"),
    AwsErrors(
        (
            *("InvalidDocument", "InvalidDocumentVersion", "InvalidParameters", "InvalidRole"),
            *("InvalidNotificationConfig", "InvalidOutputFolder", "MaxDocumentSizeExceeded"),
            *("UnsupportedPlatformType", "DuplicateInstanceId"),
        ),
        Permanent,
        f"{_SSM}/API_SendCommand.html",
    ),
    AwsErrors(
        ("InvalidCommandId", "InvalidPluginName"),
        Permanent,
        f"{_SSM}/API_GetCommandInvocation.html",
    ),
    AwsErrors(
        (
            *("InvalidFilterKey", "InvalidFilterOption", "InvalidFilterValue"),
            "InvalidInstanceInformationFilterValue",
        ),
        Permanent,
        f"{_SSM}/API_DescribeInstanceInformation.html",
    ),
    AwsErrors(
        ("ParameterNotFound", "ParameterVersionNotFound", "InvalidKeyId"),
        Permanent,
        f"{_SSM}/API_GetParameter.html",
    ),
    # Answered before, or its time is over and the next attempt has another token.
    AwsErrors(("TaskDoesNotExist", "TaskTimedOut"), Gone, f"{_SFN}/API_SendTaskSuccess.html"),
    AwsErrors(("InvalidOutput", "InvalidToken"), Permanent, f"{_SFN}/API_SendTaskSuccess.html"),
    # Ended long ago; or, at a start, started before under this name.
    AwsErrors(("ExecutionDoesNotExist",), Gone, f"{_SFN}/API_DescribeExecution.html"),
    AwsErrors(("ExecutionAlreadyExists",), Gone, f"{_SFN}/API_StartExecution.html"),
    AwsErrors(
        ("ExecutionLimitExceeded", "KmsThrottlingException"),
        Throttled,
        f"{_SFN}/API_StartExecution.html",
    ),
    AwsErrors(
        (
            *("InvalidArn", "InvalidExecutionInput", "InvalidName", "StateMachineDeleting"),
            *("StateMachineDoesNotExist", "KmsAccessDeniedException", "KmsInvalidStateException"),
        ),
        Permanent,
        f"{_SFN}/API_StartExecution.html",
    ),
    AwsErrors(
        ("KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException"),
        Transient,
        _KMS,
    ),
    AwsErrors(
        (
            *("DisabledException", "NotFoundException", "InvalidGrantTokenException"),
            *("InvalidKeyUsageException", "KMSInvalidStateException", "DryRunOperationException"),
        ),
        Permanent,
        _KMS,
    ),
    # Of an entry that PutEvents did not take, in an answer that is no error itself.
    AwsErrors(
        (
            *("NotAuthorizedForSourceException", "NotAuthorizedForDetailTypeException"),
            *("InvalidAccountIdException", "InvalidArgument", "MalformedDetail"),
            "RedactionFailure",
        ),
        Permanent,
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html",
    ),
    AwsErrors(("KMSThrottling",), Throttled, _SNS),
    AwsErrors(
        (
            *("AuthorizationError", "EndpointDisabled", "InvalidParameter", "InvalidSecurity"),
            *("KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound"),
            *("KMSOptInRequired", "NotFound", "ParameterValueInvalid"),
            "PlatformApplicationDisabled",
        ),
        Permanent,
        _SNS,
    ),
)

_SWARMKIT = "https://github.com/moby/swarmkit/blob/master"
_MOBY = "https://github.com/moby/moby/blob/master"
_ENGINE = "https://docs.docker.com/reference/api/engine/"

DOCKER: Sequence[HttpError] = (
    HttpError(
        None, "update out of sequence", Transient, f"{_SWARMKIT}/manager/state/store/memory.go"
    ),
    HttpError(
        None,
        "is not down and can't be removed",
        Transient,
        f"{_SWARMKIT}/manager/controlapi/node.go",
    ),
    HttpError(None, "invalid join token", Permanent, f"{_SWARMKIT}/ca/config.go"),
    # It was read before it was rotated.
    HttpError(None, "valid join token is necessary", Transient, f"{_SWARMKIT}/ca/server.go"),
    # A token whose middle is no digest; a token of another Swarm.
    HttpError(None, "invalid checksum digest", Permanent, f"{_SWARMKIT}/ca/config.go"),
    HttpError(
        None,
        "remote CA does not match fingerprint",
        Permanent,
        f"{_SWARMKIT}/ca/certificates.go",
    ),
    HttpError(None, "already part of a swarm", Permanent, f"{_MOBY}/daemon/cluster/errors.go"),
    HttpError(None, "not part of a swarm", Gone, f"{_MOBY}/daemon/cluster/errors.go"),
    HttpError(None, "not a swarm manager", Permanent, f"{_MOBY}/daemon/cluster/errors.go"),
    HttpError(None, "participating as a manager", Permanent, f"{_MOBY}/daemon/cluster/swarm.go"),
    HttpError(
        None,
        "Timeout was reached before node joined",
        Transient,
        f"{_MOBY}/daemon/cluster/errors.go",
    ),
    # The registry has no such image.
    HttpError(None, "manifest unknown", Permanent, "https://distribution.github.io/distribution/"),
    HttpError(404, "pull access denied", Permanent, f"{_MOBY}/distribution/errors.go"),
    HttpError(404, "", Gone, _ENGINE),
    HttpError(409, "", Transient, _ENGINE),
    HttpError(429, "", Transient, _ENGINE),
)

_CHEF = "https://docs.chef.io/server/api_chef_server/"

CHEF: Sequence[HttpError] = (
    # Of the wrong server or organization; only a deletion takes it for done (labswarm.chef.server).
    HttpError(404, "", Permanent, _CHEF),
    HttpError(408, "", Transient, _CHEF),
    HttpError(429, "", Transient, _CHEF),
    HttpError(400, "", Permanent, _CHEF),
    # The signature, or the clock; the actor's rights.
    HttpError(401, "", Permanent, _CHEF),
    HttpError(403, "", Permanent, _CHEF),
    # A client of this name, which may have the same key: then it is ours already.
    HttpError(409, "", Permanent, _CHEF),
    HttpError(413, "", Permanent, _CHEF),
)


def aws_kind(code: str, message: str, status: int = 400) -> Kind:
    """The kind of an AWS error with this code, message and HTTP status."""
    for line in AWS:
        if code in line.codes and line.text in message:
            return line.kind if status < 500 or issubclass(line.kind, Transient) else Transient
    return Transient


def http_kind(table: Sequence[HttpError], status: int, message: str = "") -> Kind:
    """The kind of an answer with this HTTP status (400 or more), by one of the tables."""
    for line in table:
        if line.status in (None, status) and line.text in message:
            return line.kind
    return Transient if status >= 500 else Permanent
