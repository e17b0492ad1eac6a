"""A node's own part in the Swarm, from each state of its Engine."""

import pytest

from labswarm.errors import Gone, Permanent
from labswarm_node.join_secret import JoinSecret
from labswarm_node.membership import join, leave
from labswarm_node.swarm import Availability, Membership

OURS, ANOTHER = "10.0.0.10:2377", "10.9.9.9:2377"
SECRET = JoinSecret("a-token", OURS)


class Engine:
    """`Engine` in one of Docker's LocalNodeStates: it joins only when it is in no Swarm."""

    def __init__(self, state: str, manager: str = "") -> None:
        self.now = Membership(state, "old-id" if manager else "", frozenset({manager} - {""}))
        self.left: list[bool] = []
        self.joined: list[tuple[str, str, str, str]] = []

    def membership(self) -> Membership:
        return self.now

    def join(
        self, token: str, manager: str, advertise_address: str, availability: Availability
    ) -> None:
        if self.now.state != "inactive":
            raise Permanent("This node is already part of a swarm.")
        self.joined.append((token, manager, advertise_address, availability))
        self.now = Membership("active", "new-id", frozenset({manager}))

    def leave(self, force: bool) -> None:
        if self.now.state == "inactive":
            raise Gone("This node is not part of a swarm")
        self.left.append(force)
        self.now = Membership("inactive")

    def has_image(self, image: str) -> bool:
        raise AssertionError(image)

    def pull(self, image: str) -> None:
        raise AssertionError(image)


def test_an_engine_in_no_swarm_joins_paused() -> None:
    engine = Engine("inactive")

    assert join(engine, SECRET, "10.0.0.11") == {"node_id": "new-id", "already": False}
    assert engine.joined == [("a-token", OURS, "10.0.0.11", "pause")]
    assert engine.left == []


def test_a_member_of_the_swarm_stays_as_it_is() -> None:
    engine = Engine("active", OURS)

    assert join(engine, SECRET, "10.0.0.11") == {"node_id": "old-id", "already": True}
    assert (engine.left, engine.joined) == ([], [])


@pytest.mark.parametrize(
    ("state", "manager"),
    [
        pytest.param("active", ANOTHER, id="a member of another Swarm"),
        pytest.param("pending", OURS, id="a join that has not come to its end"),
        pytest.param("error", OURS, id="a certificate that ran out"),
        pytest.param("locked", OURS, id="a locked Swarm"),
    ],
)
def test_any_other_engine_leaves_by_force_and_joins(state: str, manager: str) -> None:
    engine = Engine(state, manager)

    assert join(engine, SECRET, "10.0.0.11")["node_id"] == "new-id"
    assert engine.left == [True]


def test_leaving_twice_is_once_and_never_by_force() -> None:
    engine = Engine("active", OURS)

    assert leave(engine) == {"left": True, "already": False}
    assert leave(engine) == {"left": True, "already": True}
    assert engine.left == [False]
