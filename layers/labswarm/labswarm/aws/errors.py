"""Convert errors of AWS's client to our kinds, by the table of errors."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from labswarm.error_table import aws_kind
from labswarm.errors import LabswarmError, Transient


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
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return aws_kind(code_of(error), str(error), status)(str(error))


@contextmanager
def named() -> Iterator[None]:
    """Raise what AWS calls inside raise as one of our kinds; an unreachable AWS is transient."""
    try:
        yield
    except ClientError as error:
        raise classified(error) from error
    except (ConnectionError, HTTPClientError) as error:
        raise Transient(str(error)) from error
