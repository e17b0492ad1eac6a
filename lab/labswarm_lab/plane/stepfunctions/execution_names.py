"""An execution that is started without a name gets a random one.

moto calls all of them None, so that the second is refused as a duplicate.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
"""

import uuid
from typing import Any

from moto.stepfunctions.parser.models import StepFunctionsParserBackend


def install() -> None:
    """Name them."""
    start = StepFunctionsParserBackend.start_execution

    def start_execution(
        backend: Any, state_machine_arn: str, name: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        return start(backend, state_machine_arn, name or str(uuid.uuid4()), *args, **kwargs)

    StepFunctionsParserBackend.start_execution = start_execution
