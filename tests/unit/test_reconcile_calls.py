"""The calls of a large cluster's reconcile pass to AWS and to the Chef Server."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from tests.simulation.agents import Machine
from tests.simulation.auto_scaling import Instance
from tests.simulation.simulation import ASG, CLUSTER, PASS, RECONCILE, Simulation

from labswarm.lifecycle.ledger import TRANSITIONS, Claim
from labswarm.seats import START_WITHIN_S
from labswarm_lab.nodes.swarm_twin import TOKEN

NODES = 1000
# BatchGetItem takes so many keys: DynamoDB API reference.
KEYS_A_CALL = 100


def populate(simulation: Simulation, count: int) -> list[str]:
    """So many workers in service, known to every side."""
    ids = [f"i-{number:017x}" for number in range(1, count + 1)]
    for instance_id in ids:
        simulation.group.instances[instance_id] = Instance(instance_id, ASG, "InService")
        simulation.ssm.machines[instance_id] = Machine(instance_id, online=True)
        engine = simulation.swarm.start(instance_id, 2**31, 2 * 10**9, CLUSTER)
        engine.join(TOKEN, simulation.swarm.manager, "10.98.0.11", "active")
        simulation.workers.engines[instance_id] = engine
        name = f"{CLUSTER}-{instance_id}"
        simulation.chef.clients[name], simulation.chef.nodes[name] = "key", name
    simulation.group.desired = count
    return ids


@pytest.mark.parametrize("wrong", [0, 3])
def test_a_pass_makes_at_most_a_call_for_fifty_nodes_and_twenty_more(
    monkeypatch: pytest.MonkeyPatch, wrong: int
) -> None:
    """Of ghosts, of lost nodes and of services that the hub has lost there are so many."""
    with Simulation(1) as simulation:
        ids = populate(simulation, NODES)
        for instance_id in ids[:wrong]:
            simulation.workers.end(instance_id)
            del simulation.group.instances[instance_id]
        for instance_id in ids[wrong : 2 * wrong]:
            simulation.cut(instance_id)
        for number in range(wrong + 1):
            simulation.classroom.sit(f"s{number}")
        for number in range(wrong):
            simulation.classroom.lose(f"s{number}")
        simulation.time.run(60 + START_WITHIN_S)
        simulation.classroom.look()
        calls = simulation.faults.calls
        about = simulation.ledger.about

        def counted(instances: Iterable[str]) -> Sequence[Claim]:
            wanted = list(instances)
            calls["dynamodb.batch"] += math.ceil(len(wanted) * len(TRANSITIONS) / KEYS_A_CALL)
            return about(wanted)

        monkeypatch.setattr(simulation.ledger, "about", counted)
        for name in ("read_pass", "write_pass"):
            kept = getattr(simulation.passes, name)

            def once(*given: Any, kept: Any = kept) -> Any:
                calls["dynamodb.pass"] += 1
                return kept(*given)

            monkeypatch.setattr(simulation.passes, name, once)
        request = simulation.chef.request

        def asked(*given: Any, **more: Any) -> Any:
            calls["chef"] += 1
            return request(*given, **more)

        monkeypatch.setattr(simulation.chef, "request", asked)
        calls.clear()
        execution = simulation.start(RECONCILE, PASS)
        assert simulation.settle()

        (outcome,) = execution.output
        assert outcome["plan"]["decided"], outcome
        # Of a ghost, its node and its identity are found.
        found = Counter(finding["what"] for finding in outcome["plan"]["waiting"])
        kinds = ("swarm-node", "chef-identity", "instance", "service")
        assert found == Counter(dict.fromkeys(kinds, wrong))
        # The snapshot is one call more.
        assert 10 < sum(calls.values()) + 1 <= NODES / 50 + 20, calls
