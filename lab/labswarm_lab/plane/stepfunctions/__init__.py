"""Step Functions as AWS interprets the Amazon States Language: moto's interpreter, corrected.

Each module is one correction, with its reason. What they change is found by the name that moto's
modules use (`interpreter.replace`), since most of it is imported by name.
Not there at all, and to be avoided: `.sync:2`, ItemBatcher, `$uuid()`, JSONata with Assign.
"""

from moto.core.config import default_user_config

from labswarm_lab.plane.plane import Plane
from labswarm_lab.plane.stepfunctions import (
    casing,
    choices,
    clients,
    context,
    endings,
    error_matching,
    error_names,
    execution_names,
    paths,
    results,
    timestamps,
    timing,
    told,
)


def install(plane: Plane) -> None:
    """Run state machines, with every correction."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    clients.install(plane)
    timing.install(plane)
    for correction in (
        casing,
        choices,
        context,
        endings,
        error_matching,
        error_names,
        execution_names,
        paths,
        results,
        timestamps,
    ):
        correction.install()
    told.install(plane.record)
