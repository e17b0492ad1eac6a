"""Sends one of the app's documents to a node, or to a hub, for a Task that waits."""

from collections.abc import Mapping
from typing import Any

from labswarm.aws.observability import logger
from labswarm.aws.wiring import Wiring
from labswarm.clock import WallClock
from labswarm.cluster import INSTANCE_ID
from labswarm.commands.steps import Commands, Step
from labswarm.errors import BadInput, Permanent, Transient
from labswarm.lifecycle.ledger import errand
from labswarm.lifecycle.work import Work

AWS = Wiring()
CLUSTERS = AWS.clusters()
LEDGER = AWS.ledger()
TASKS = AWS.tasks()
CLOCK = WallClock()
COMMANDS = Commands(AWS.agent(), LEDGER, AWS.hub_slots(), TASKS, CLOCK)


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """`{"work", "document", "on": "node"|"hub", "parameters"?, "until": "forward_by"?, "token"}`,
    or without work `{"cluster", "execution", "instance_id"?, "document", "parameters", "token"}`.

    Answers `token` with the document's JSON and `urgent` (EC2 has warned that it takes the instance
    back) when the command has ended; otherwise the event of its end does. Invoked again with
    another token, it is the same command. A failure is raised, by the kind that the tool reports.
    A step that has to be done by `forward_by` raises Permanent after it, and when the instance's
    termination has begun.
    """
    token = event.get("token")
    step = _of_work(event) if "work" in event else _of_errand(event)
    answer = COMMANDS.begin(step, token)
    about = {"step": step.name, "instance": step.subject}
    logger.info("begun" if answer is None else "answered", extra=about)
    if answer is None:
        if token is None:
            # An execution that began before a deploy has none, and calls again.
            raise Transient(f"{step.name} is still under way")
        return {"answered": False}
    if token is not None:
        TASKS.succeed(token, answer)
    return answer


def _of_work(event: Mapping[str, Any]) -> Step:
    """A step of the claim on an instance's transition."""
    work = Work.parse(event["work"])
    step = Step(
        subject=work.instance_id,
        transition=work.transition,
        owner=work.owner,
        document=str(event.get("document")),
        target=_target(work, event.get("on")),
        parameters=event.get("parameters", {}),
    )
    forward = event.get("until") == "forward_by"
    if forward and work.left_s("forward_by", CLOCK.now()) <= 0:
        raise Permanent("too late: the rest of the hook's time is for undoing the launch")
    # An execution that began before a deploy asks for this by `unless_terminating`.
    if (forward or event.get("unless_terminating")) and LEDGER.is_terminating(work.instance_id):
        raise Permanent("the instance's termination has begun, so its launch stops")
    return step


def _of_errand(event: Mapping[str, Any]) -> Step:
    """A command to a cluster's hub that belongs to its execution, about an instance or not."""
    cluster, owner = CLUSTERS.read_cluster(str(event.get("cluster"))), event.get("execution")
    if not isinstance(owner, str) or not owner:
        raise BadInput("execution", f"is {owner!r}; pass on the execution's id")
    about = event.get("instance_id", cluster.name)
    if about != cluster.name and not INSTANCE_ID.fullmatch(str(about)):
        raise BadInput("instance_id", f"is {about!r}; it is like {INSTANCE_ID.pattern}")
    return Step(
        subject=about,
        transition=errand(owner),
        owner=owner,
        document=str(event.get("document")),
        target=cluster.manager,
        parameters=_texts(event.get("parameters")),
        cluster=cluster.name,
    )


def _texts(parameters: object) -> Mapping[str, str]:
    """A document's parameters are texts: a list is given as its items, separated by commas."""
    given = parameters if isinstance(parameters, Mapping) else {}
    for name, value in given.items():
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) and item for item in items):
            raise BadInput(f"parameters.{name}", f"is {value!r}; it is a text or a list of texts")
    return {
        name: ",".join(value) if isinstance(value, list) else value for name, value in given.items()
    }


def _target(work: Work, on: object) -> str:
    if on == "node":
        return work.instance_id
    if on == "hub":
        return CLUSTERS.read_cluster(work.cluster).manager
    raise BadInput("on", f"is {on!r}; a document runs on a 'node' or on its 'hub'")
