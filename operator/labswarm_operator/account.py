"""Where an operator's command works: in a lab, or in the AWS account of the environment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import NoCredentialsError, NoRegionError

from labswarm.aws.errors import named
from labswarm_lab.lab import Lab
from labswarm_operator.refusal import Refusal

Clients = Callable[[str], Any]
"""Makes a boto3 client, by the service's name."""


def clients(lab: str, *, aws: bool) -> Clients:
    """Clients of the lab of this name, or of the environment's AWS account.

    Each raises Refusal when the lab is not up, or the environment names no region.
    """
    if not aws:
        return Lab.named(lab).client

    def client(service: str) -> Any:
        try:
            return boto3.client(service)  # type: ignore[call-overload]  # a variable here
        except NoRegionError as error:
            raise Refusal(f"{error} Set AWS_DEFAULT_REGION, or ask a lab, without --aws") from error

    return client


@contextmanager
def asked() -> Iterator[None]:
    """Raise what AWS refuses inside by kind, and Refusal where there are no credentials."""
    try:
        with named():
            yield
    except NoCredentialsError as error:
        raise Refusal(f"{error}; set AWS's usual variables, or ask a lab, without --aws") from error
