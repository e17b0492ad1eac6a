"""The State of a function: Active, or Inactive and Pending after weeks without an invocation.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from typing import Any

from moto.awslambda.models import LambdaFunction

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.faults import IdleFaults
from labswarm_emulator.faults.functions import ACTIVE, INACTIVE, PENDING

REASONS = {
    INACTIVE: ("Idle", "The function was idle, and its VPC connection was removed."),
    PENDING: ("Restoring", "Lambda is restoring the function's VPC connection."),
}
"""StateReasonCode and StateReason,
https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html"""


class NotReady(Exception):
    """Lambda does not invoke the function now; `code` and `status` are those of Invoke.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """

    def __init__(self, state: str) -> None:
        self.code, self.status = (
            ("ResourceNotReadyException", 502)
            if state == INACTIVE
            else ("ResourceConflictException", 409)
        )
        super().__init__(
            "The function is inactive and its VPC connection is no longer available. Wait for the "
            "VPC connection to reestablish and try again."
            if state == INACTIVE
            else "The operation cannot be performed at this time. The function is currently in "
            f"the following state: {state}"
        )


def install(emulator: Emulator) -> None:
    """Show the State in the function's configuration."""
    configuration = LambdaFunction.get_configuration

    def get_configuration(function: LambdaFunction, *more: Any, **named: Any) -> dict[str, Any]:
        found: dict[str, Any] = configuration(function, *more, **named)
        state = state_of(emulator, function)
        if state != ACTIVE:
            code, reason = REASONS[state]
            found |= {"State": state, "StateReasonCode": code, "StateReason": reason}
        return found

    LambdaFunction.get_configuration = get_configuration


def state_of(emulator: Emulator, function: LambdaFunction) -> str:
    """Return the function's State now."""
    if not _in_vpc(function):
        return ACTIVE
    idle = emulator.faults.on(IdleFaults)
    return idle.state(function.function_name, emulator.clock.elapsed())


def check(emulator: Emulator, function: LambdaFunction) -> None:
    """Let an invocation meet the function's State. Raises NotReady unless it is Active."""
    if not _in_vpc(function):
        return
    idle = emulator.faults.on(IdleFaults)
    met = idle.invoked(function.function_name, emulator.clock.elapsed())
    if met != ACTIVE:
        emulator.record.write("functions", met.lower(), function=function.function_name)
        raise NotReady(met)


def _in_vpc(function: LambdaFunction) -> bool:
    return bool((function.vpc_config or {}).get("SubnetIds"))
