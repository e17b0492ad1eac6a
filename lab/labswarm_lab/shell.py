"""`labswarm lab shell`: a root shell on a node."""

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


def enter(lab: Lab, node: str, command: Sequence[str]) -> NoReturn:
    """Become a shell in the node's namespaces, or run one command there; end with its exit code.

    Raises Refusal if `node` names none or is simulated, Failure if the program cannot be started.
    """
    remedy = f"They have no shell. Their logs: {lab.command('logs')}."
    instance_id = real_node_named(lab, node, remedy)
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
        raise Failure(f"{words[0]} cannot be started: {error.strerror}.") from error
