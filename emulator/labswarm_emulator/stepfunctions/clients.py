"""Tasks call the emulator's own address, by clients that are made once.

moto makes a client for each task attempt, on a port that it takes from the environment. It uses
boto3's default session, which is not safe for several threads at once.
"""

import threading
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from moto.stepfunctions.parser.asl.utils.boto_client import boto_client_for

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.stepfunctions import interpreter
from labswarm_emulator.stepfunctions.service_model import boto_name

# No parameter validation and no retries, as moto: both are the state machine's affair.
CONFIG = Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    connect_timeout=60,
    read_timeout=86_400,  # a task ends by its own TimeoutSeconds
    max_pool_connections=100,
)


def install(emulator: Emulator) -> None:
    """Replace moto's clients."""
    lock = threading.Lock()
    clients: dict[tuple[str, str], BaseClient] = {}

    def client_for(
        region: str,
        service: str,
        state_credentials: Any = None,  # noqa: ARG001  # the emulator enforces no permissions
    ) -> BaseClient:
        with lock:
            if (region, service) not in clients:
                clients[region, service] = boto3.client(
                    boto_name(service),  # type: ignore[call-overload]  # the service is a variable here
                    region_name=region,
                    endpoint_url=emulator.url,
                    aws_access_key_id="states",
                    aws_secret_access_key="states",  # noqa: S106  # the emulator accepts any
                    config=CONFIG,
                )
            return clients[region, service]

    interpreter.replace("boto_client_for", boto_client_for, client_for)
