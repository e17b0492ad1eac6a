"""AWS from the hub's host, with the credentials of the instance's role."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from labswarm.aws.environment import AWS
from labswarm.aws.errors import named
from labswarm.errors import Transient
from labswarm_node.config import NodeConfig


def clients(config: NodeConfig) -> Callable[[str], Any]:
    """Return a function that makes the client of a service."""
    session = botocore.session.get_session()
    return lambda service: session.create_client(
        service,
        region_name=config.region,
        endpoint_url=config.aws_endpoint_url,
        config=AWS,
    )


@contextmanager
def reached() -> Iterator[None]:
    """Raise our kinds as `named` does; missing credentials of the instance are transient."""
    with named():
        try:
            yield
        except (CredentialRetrievalError, NoCredentialsError) as error:
            raise Transient(f"no credentials: {error}") from error
