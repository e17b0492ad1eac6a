"""The botocore model of a service that a state machine names as the Java SDK does."""

import threading
from functools import lru_cache

import botocore.session
from botocore.model import ServiceModel

BOTO_NAMES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
"""Where the name in `arn:aws:states:::aws-sdk:<name>:…` is not botocore's."""


def boto_name(name: str) -> str:
    """botocore's name of a service."""
    return BOTO_NAMES.get(name.lower(), name.lower())


_loading = threading.Lock()


@lru_cache
def service_model(name: str) -> ServiceModel:
    """The model of `name`. Raises botocore's UnknownServiceError."""
    with _loading:
        session = botocore.session.Session()
        return session.get_service_model(boto_name(name))
