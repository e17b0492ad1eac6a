"""Step Functions as AWS interprets the Amazon States Language: moto's interpreter, corrected.

Each module is one correction, with its reason. Changes are found by the name that moto's modules
use (`interpreter.replace`), since most of it is imported by name. Missing features are refused when
the machine is made (`definitions`).
"""

from moto.core.config import default_user_config

from labswarm_emulator.emulator import Emulator
from labswarm_emulator.stepfunctions import (
    attempts,
    beginnings,
    branch_errors,
    casing,
    choices,
    clients,
    context,
    endings,
    error_matching,
    error_names,
    executions,
    history,
    intrinsics,
    items,
    json_strings,
    jsonata,
    limits,
    lookup,
    machines,
    paths,
    result_paths,
    results,
    string_matches,
    timestamps,
    timing,
    tokens,
)
from labswarm_emulator.stepfunctions import notifications as notifications


def install(emulator: Emulator) -> None:
    """Run state machines, with every correction."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    clients.install(emulator)
    timing.install(emulator)
    attempts.install(emulator)
    for correction in (
        beginnings,
        branch_errors,
        casing,
        choices,
        context,
        endings,
        error_matching,
        error_names,
        executions,
        history,
        intrinsics,
        items,
        json_strings,
        jsonata,
        limits,
        lookup,
        machines,
        paths,
        result_paths,
        results,
        string_matches,
        timestamps,
        tokens,
    ):
        correction.install()
    notifications.install(emulator.record)
