"""A function's environment, as the template sets it."""

import os

from botocore.config import Config

from labswarm.errors import BadInput

# A call that hangs must not take the function's time: four quick tries, then our own Retry.
AWS = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "adaptive", "max_attempts": 4},
)


def required(name: str) -> str:
    """An environment variable's value. Raises BadInput naming it when it is not set."""
    value = os.environ.get(name)
    if not value:
        raise BadInput(name, "is not set; set this environment variable in template.yaml")
    return value
