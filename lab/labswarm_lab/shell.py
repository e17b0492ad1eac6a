"""`labswarm lab shell`: on a node, as its root."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from labswarm.errors import Gone
from labswarm_lab.lab import Lab
from labswarm_lab.naming import real_node_named
from labswarm_lab.nodes import machine
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_operator.refusal import Failure, Refusal

_REMEDY = "they have no shell; `labswarm lab logs` says what they did"


def enter(lab: Lab, node: str, command: Sequence[str]) -> NoReturn:
    """Become a shell in the node's namespaces, or one command there; ends as that does.

    Raises Refusal when `node` names none or is simulated, Failure when nothing can be started.
    """
    instance_id = real_node_named(lab, node, _REMEDY)
    try:
        words, environment = machine.entry(
            NodesSettings.read(lab.place), instance_id, command or ["bash", "--norc"]
        )
    except Gone as error:
        raise Refusal(f"NODE {node!r}: {error}") from error
    if not command:
        environment["PS1"] = r"\u@\h:\w# "
    sys.stdout.flush()
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606  # it is the shell
    except OSError as error:
        raise Failure(f"{words[0]} cannot be started: {error.strerror}") from error
