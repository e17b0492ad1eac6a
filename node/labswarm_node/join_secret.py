"""The Swarm's join token, read on the node by the node's own role: it never travels otherwise."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from labswarm.errors import BadInput, Permanent, Transient
from labswarm_node.config import NodeConfig

if TYPE_CHECKING:
    from botocore.session import Session

_THROTTLED = frozenset({"ThrottlingException", "InternalServiceError", "RequestLimitExceeded"})


@dataclass(frozen=True)
class JoinSecret:
    """The worker's token, which no message shows, and the manager's address:port."""

    token: str = field(repr=False)
    manager: str

    @classmethod
    def parse(cls, text: str) -> "JoinSecret":
        """Read the secret (JSON). Raises BadInput, which shows nothing of it."""
        try:
            values = json.loads(text)
            token, manager = values["token"], values["manager"]
        except (ValueError, KeyError, TypeError):
            # Without the cause: it quotes what it could not read.
            raise BadInput("join secret", 'has to be {"token": ..., "manager": ...}') from None
        return cls(str(token), str(manager))


def read_join_secret(config: NodeConfig, session: "Session | None" = None) -> JoinSecret:
    """Read it from Secrets Manager, with the credentials of the environment or the instance's role.

    `session` brings other ones.

    Raises Transient when the service does not answer, Permanent when it says no.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """
    # Half of boto3's start-up time, and the same client.
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client: Any = (session or botocore.session.get_session()).create_client(
            "secretsmanager",
            region_name=config.region,
            endpoint_url=config.aws_endpoint_url,
            config=Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3}),
        )
        answer = client.get_secret_value(SecretId=config.join_secret)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        kind = Transient if code in _THROTTLED else Permanent
        raise kind(f"secret {config.join_secret} cannot be read: {code}") from error
    except BotoCoreError as error:
        raise Transient(f"secret {config.join_secret} cannot be read: {error}") from error
    return JoinSecret.parse(answer["SecretString"])
