"""AWS from an instance, with the credentials of its role."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import botocore.session
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from labswarm.aws.environment import AWS
from labswarm.aws.errors import named
from labswarm.errors import Transient
from labswarm_node.config import NodeConfig


def clients(
    config: NodeConfig, session: botocore.session.Session | None = None
) -> Callable[[str], Any]:
    """Return a function that makes the client of a service."""
    session = session or botocore.session.get_session()
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
