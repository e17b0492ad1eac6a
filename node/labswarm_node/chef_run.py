"""One run of the node's chef-client."""

import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labswarm.errors import BadInput, Permanent, Transient
from labswarm_node.chef_output import why_it_failed
from labswarm_node.config import ChefConfig

# Shorter than the document allows, so that a run that hangs is reported with the end of its output.
RUN_S = 570.0
"""How long a run may take, in seconds: it installs packages."""

_STAND_IN = "labswarm-chef-client"
_RUN_LIST = re.compile(r"role\[[A-Za-z0-9_-]+\](,role\[[A-Za-z0-9_-]+\])*")


@dataclass(frozen=True)
class Ended:
    """The end of a chef-client run; `output` is all that it wrote, to stdout and stderr alike."""

    exit_code: int
    output: str


ChefClient = Callable[[Sequence[str], float], Ended]
"""Runs a chef-client command line, for so many seconds at most. Raises as `run_client` does."""


def converge(chef: ChefConfig, run_list: str, client: ChefClient) -> str:
    """Run chef-client by its policy, or with a run list of roles; return which client it was.

    Raises BadInput for another run list, Permanent before `identify`. Raises Transient with the
    failed step when the run fails: chef-client converges again from where it stopped.
    """
    if not _RUN_LIST.fullmatch(run_list):
        raise BadInput("--run-list", f"is {run_list!r}; write roles, as in role[worker]")
    if not chef.client_rb.exists():
        raise Permanent(f"{chef.client_rb} is missing: run `labswarm-node identify` first")
    command = shlex.split(chef.client)
    words = [*command, "--once", "--config", str(chef.client_rb)]
    if not (chef.policy_name and chef.policy_group):
        # A policy has its own run list, and chef-client refuses another one next to it.
        words += ["--runlist", run_list]
    ended = client(words, RUN_S)
    if ended.exit_code:
        raise Transient(
            f"chef-client ended with {ended.exit_code}: {why_it_failed(ended.output)}. "
            f"Its log is {chef.log_file}"
        )
    return "stand-in" if Path(command[0]).name == _STAND_IN else "chef-client"


def run_client(command: Sequence[str], timeout_s: float) -> Ended:
    """Run chef-client as a process.

    Raises Permanent when it is not installed, Transient with the end of its output when it hangs.
    """
    try:
        done = subprocess.run(
            command,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise Permanent(
            f"{command[0]} is not installed on this node; use an image that has it"
        ) from error
    except subprocess.TimeoutExpired as error:
        last = why_it_failed(_text(error.stdout))
        raise Transient(f"chef-client has not ended within {timeout_s:g} s: {last}") from error
    return Ended(done.returncode, _text(done.stdout))


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")
