"""The account that a command works on: a lab's, or the AWS account of the environment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import NoCredentialsError, NoRegionError

from labswarm.aws.errors import named
from labswarm_operator import plugins
from labswarm_operator.refusal import Refusal

Clients = Callable[[str], Any]
"""Makes a boto3 client of a service."""


def clients(lab: str, *, aws: bool) -> Clients:
    """Return the clients of the lab of this name, or of the environment's AWS account.

    Each client raises Refusal if no lab is installed or the lab is not up, or if the environment
    names no region. A command that makes no client needs neither.
    """
    return _aws_client if aws else lambda service: _lab_clients(lab)(service)


def _aws_client(service: str) -> Any:
    try:
        return boto3.client(service)  # type: ignore[call-overload]  # a variable here
    except NoRegionError as error:
        raise Refusal(
            f"{error} Set AWS_DEFAULT_REGION, or leave out --aws to use a lab."
        ) from error


@cache
def _lab_clients(lab: str) -> Clients:
    try:
        found = plugins.load(plugins.CLIENTS, "lab")
    except Refusal as refusal:
        raise Refusal(f"{refusal} To work on AWS, add --aws.") from refusal
    if found is None:
        raise Refusal("No lab is installed. To work on AWS, add --aws.")
    made: Clients = found(lab)
    return made


@contextmanager
def asked() -> Iterator[None]:
    """Raise AWS's errors by kind, and Refusal if there are no credentials."""
    try:
        with named():
            yield
    except NoCredentialsError as error:
        raise Refusal(
            f"{error}. Set AWS's usual variables, or leave out --aws to use a lab."
        ) from error
