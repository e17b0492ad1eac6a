"""Start the work that no event started: Auto Scaling and EC2 send events best effort.

A terminate event that is lost would leave a node open: students would be seated on it until its
hook's time is over, and lose their servers then.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/automating-ec2-auto-scaling-with-eventbridge.html
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from labswarm.clock import Clock
from labswarm.errors import LabswarmError
from labswarm.executions import Executions
from labswarm.lifecycle.events import HOOKS, MINUTE, Transition
from labswarm.lifecycle.hook_time import TICK_S
from labswarm.lifecycle.ledger import Claim, Ledger
from labswarm.lifecycle.spot_requests import SpotRequests
from labswarm.lifecycle.waits import Waits, waits_for

INTERRUPTION = "EC2 Spot Instance Interruption Warning"


@dataclass(frozen=True)
class Started:
    """The executions of one look, by name, and the reasons of failures (sentences)."""

    names: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


class Unstarted:
    """Starts machines with the event that they did not get.

    `machines` has the ARN of each machine: `launch`, `terminate` and `spot`. An event that comes
    after all starts a second execution, which leaves its token with the first one's claim.
    """

    def __init__(
        self,
        ledger: Ledger,
        spot: SpotRequests,
        executions: Executions,
        machines: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._spot = spot
        self._executions = executions
        self._machines = machines
        self._clock = clock

    def start_hooks(self, waits: Waits) -> Started:
        """Start the machine of each instance that waits in its hook without a claim.

        A failure for one instance stops no other, and the next look tries it again.
        """
        now = self._clock.now()
        return self._start(
            {
                instance_id: (transition, hook_event(waits.asg, instance_id, transition, now))
                for instance_id, transition in unclaimed(waits, now)
            }
        )

    def start_notices(self, ours: Collection[str]) -> Started:
        """Start the machine of each of our instances that EC2 takes back unnoticed.

        It asks EC2 and the ledger only when there are instances, and raises their errors.
        """
        warned = {i: at for i, at in self._spot.interrupted().items() if i in ours} if ours else {}
        claims = self._ledger.about(warned) if warned else ()
        return self._start(
            {
                instance_id: ("spot", notice_event(instance_id, warned[instance_id]))
                for instance_id in unnoticed(warned, claims)
            }
        )

    def _start(self, wanted: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Started:
        names, missed = [], []
        for instance_id, (machine, event) in wanted.items():
            name = _execution_name(machine, instance_id, self._clock.now())
            try:
                self._executions.start(self._machines[machine], name, event)
            except LabswarmError as error:
                missed.append(f"{machine} of {instance_id}: {error}")
            else:
                names.append(name)
        return Started(tuple(names), tuple(missed))


def unclaimed(waits: Waits, now: float) -> Sequence[tuple[str, Transition]]:
    """The instances that wait, and for which transition, without an execution at work on it.

    A claim that closed less than a minute ago counts: the group was listed before it closed.
    """
    claimed = {
        (claim.instance_id, claim.transition)
        for claim in waits.claims
        if claim.closed_at is None or now - claim.closed_at < TICK_S
    }
    found = ((instance_id, waits_for(state)) for instance_id, state in waits.states.items())
    return [
        (i, transition) for i, transition in found if transition and (i, transition) not in claimed
    ]


def unnoticed(warned: Collection[str], claims: Collection[Claim]) -> Sequence[str]:
    """The instances whose end nobody works on, or only somebody who does not know of the haste."""
    known = {
        c.instance_id for c in claims if c.transition == "terminate" and (c.urgent or c.closed)
    }
    return [instance_id for instance_id in warned if instance_id not in known]


def hook_event(asg: str, instance_id: str, transition: Transition, now: float) -> dict[str, Any]:
    """The event of a wait that was seen at `now` (epoch seconds), without its token.

    The wait is at most a minute old, or the look before had seen it. It counts as that old.
    """
    places = ("EC2", "AutoScalingGroup")
    origin, destination = places if transition == "launch" else reversed(places)
    end = "LAUNCHING" if transition == "launch" else "TERMINATING"
    return {
        "source": MINUTE,
        "detail-type": f"EC2 Instance-{transition} Lifecycle Action",
        "time": _iso(now - TICK_S),
        "detail": {
            "AutoScalingGroupName": asg,
            "LifecycleHookName": HOOKS[transition],
            "EC2InstanceId": instance_id,
            "LifecycleTransition": f"autoscaling:EC2_INSTANCE_{end}",
            "Origin": origin,
            "Destination": destination,
        },
    }


def notice_event(instance_id: str, at: float) -> dict[str, Any]:
    """The event of a spot warning at `at` (epoch seconds)."""
    return {
        "source": MINUTE,
        "detail-type": INTERRUPTION,
        "time": _iso(at),
        "detail": {"instance-id": instance_id, "instance-action": "terminate"},
    }


def _execution_name(machine: str, instance_id: str, now: float) -> str:
    """One a minute, however often the schedule's event comes."""
    return f"minute-{machine}-{instance_id}-{now // TICK_S:.0f}"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
