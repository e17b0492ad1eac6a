"""In any order of events and deaths, no lifecycle action is left waiting without an owner."""

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from tests.support.app_twins import INSTANCE, TwinClock
from tests.twins.hooks import TwinHooks
from tests.twins.ledger import MemoryLedger

from labswarm.errors import Permanent
from labswarm.lifecycle.hooks import finish
from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase, change, granted

Execution = Literal["a", "b", "c"]
Token = Literal["one", "two"]


@dataclass
class Launch:
    """One instance's launch, and the executions that its events start."""

    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    hooks: TwinHooks = field(default_factory=lambda: TwinHooks("one", "two"))
    clock: TwinClock = field(default_factory=TwinClock)
    running: set[str] = field(default_factory=lambda: {"a", "b", "c"})
    received: set[str] = field(default_factory=set)

    def claim(self, owner: Execution, token: Token) -> None:
        if owner not in self.running:
            return
        self.received.add(token)
        now = int(self.clock.now())
        wanted = Claim(
            instance_id=INSTANCE,
            transition="launch",
            owner=owner,
            lease_until=now + LEASE_S,
            tokens={token: "launch"},
            hook="launch",
            asg="labswarm-lab-workers",
            cluster="lab",
            opened_at=now,
            phases=(Phase("claimed", now),),
        )
        running = self.running.__contains__
        change(self.ledger, INSTANCE, "launch", lambda e: granted(e, wanted, now, running))

    def finish(self, owner: str) -> bool:
        """Whether `owner` held the claim and has finished it."""
        if owner not in self.running:
            return False
        try:
            finish(
                self.ledger,
                self.hooks,
                self.clock,
                (INSTANCE, "launch", owner),
                "CONTINUE",
                "joined",
            )
        except Permanent:
            return False
        return True


EXECUTIONS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), EXECUTIONS, st.sampled_from(["one", "two"])),
        st.tuples(st.just("finish"), EXECUTIONS),
        st.tuples(st.just("die"), EXECUTIONS),
        st.tuples(st.just("wait"), st.sampled_from([1, LEASE_S])),
    ),
    max_size=20,
)


@given(STEPS)
def test_every_action_that_was_received_is_completed_or_held_by_an_open_claim(
    steps: list[tuple[str, ...]],
) -> None:
    launch = Launch()
    for step in steps:
        match step:
            case ("claim", owner, token):
                launch.claim(owner, token)  # type: ignore[arg-type]
            case ("finish", owner):
                launch.finish(owner)
            case ("die", owner):
                launch.running.discard(owner)
            case ("wait", seconds):
                launch.clock.sleep(float(seconds))

    claim = launch.ledger.read_claim(INSTANCE, "launch")
    held = set() if claim is None or claim.closed else set(claim.tokens)
    assert launch.received <= held | set(launch.hooks.results)


@given(STEPS)
def test_there_is_at_most_one_who_can_finish(steps: list[tuple[str, ...]]) -> None:
    launch = Launch()
    for step in steps:
        if step[0] == "claim":
            launch.claim(step[1], step[2])  # type: ignore[arg-type]
        elif step[0] == "wait":
            launch.clock.sleep(float(step[1]))

    assert sum(launch.finish(owner) for owner in ("a", "b", "c")) <= 1
