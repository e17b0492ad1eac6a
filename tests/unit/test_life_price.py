"""The price of a node's life, from launch to gone, by its history at list prices."""

import json
import math
from collections import Counter
from dataclasses import asdict, dataclass

import pytest
from tests.simulation.simulation import Simulation
from tests.support.prices import KNOWN, price

from labswarm.lifecycle.ledger import Claim

KIB = 1024
MEMORY_GB = 0.25
STUDENTS_TIME_S = 900
ALWAYS = "heartbeat"
"""The minute's function runs anyway, and is on the idle bill."""


@dataclass(frozen=True)
class Life:
    """The quantities of one node's life."""

    transitions: int
    calls: int
    gb_s: float
    writes: int

    def usd(self, region: str) -> float:
        prices = price.Prices(region)
        logs_gb = self.calls * KNOWN["assumed"]["log_kb_per_call"]["value"] / 1e6
        quantities = {
            "transition": self.transitions,
            "lambda_request": self.calls,
            "lambda_gb_s": self.gb_s,
            "dynamodb_write": self.writes,
            # A claim of up to 4 KiB is read once or twice a call, consistently.
            "dynamodb_read": 2 * self.calls,
            "logs_in": logs_gb,
        }
        lines = [prices.line("lab", item, item, n) for item, n in quantities.items()]
        return float(price.total(lines))


def count_writes(simulation: Simulation, counted: Counter[str]) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html"""
    write = simulation.ledger.write_claim

    def counting(claim: Claim) -> bool:
        counted[claim.instance_id] += math.ceil(len(json.dumps(asdict(claim))) / KIB)
        return write(claim)

    simulation.ledger.write_claim = counting  # type: ignore[method-assign]


def life(seed: int, *, with_student: bool) -> Life:
    """A node that opens and goes; with a student, who stays as long as there is time."""
    with Simulation(seed, empty_deadline_s=STUDENTS_TIME_S) as simulation:
        writes: Counter[str] = Counter()
        count_writes(simulation, writes)
        simulation.opened(1)
        (node,) = simulation.open_workers()
        before = simulation.lambdas.calls.copy(), simulation.lambdas.busy_s.copy()
        if with_student:
            # Moved to a second node, whose own life is not counted.
            simulation.classroom.sit("s1")
            simulation.opened(2)
            during = simulation.lambdas.calls - before[0], simulation.lambdas.busy_s - before[1]
        else:
            during = Counter(), Counter()
        assert (simulation.classroom.worker_of("s1") == node) is with_student
        simulation.groups.terminate_instance_in_auto_scaling_group(node, True)
        assert simulation.settle(2 * STUDENTS_TIME_S), simulation.report()

        calls, busy_s = simulation.lambdas.calls - during[0], simulation.lambdas.busy_s - during[1]
        del calls[ALWAYS], busy_s[ALWAYS]
        executions = simulation.interpreter.executions.values()
        of_it = [e for e in executions if e.given["detail"]["EC2InstanceId"] == node]
        assert [e.status for e in of_it] == ["SUCCEEDED"] * 2
        return Life(
            transitions=sum(e.transitions for e in of_it),
            calls=calls.total(),
            gb_s=sum(busy_s.values()) * MEMORY_GB,
            writes=writes[node],
        )


@pytest.mark.parametrize(("with_student", "most_usd"), [(False, 0.001), (True, 0.0015)])
@pytest.mark.parametrize("seed", range(3))
def test_a_nodes_life_costs_no_more_than_was_promised(
    seed: int, with_student: bool, most_usd: float
) -> None:
    whole = life(seed, with_student=with_student)

    assert whole.usd("eu-west-1") <= most_usd, whole


def test_the_bill_counts_a_life_as_it_is() -> None:
    counted = [life(seed, with_student=False) for seed in range(3)]
    app, assumed = KNOWN["app"], KNOWN["assumed"]

    assert app["node_transitions"] == max(one.transitions for one in counted)
    assert app["node_calls"] == max(one.calls for one in counted)
    assert max(one.gb_s for one in counted) <= assumed["node_gb_s"]["value"]
    assert max(one.writes for one in counted) <= assumed["node_writes"]["value"]


if __name__ == "__main__":
    for student in (False, True):
        for number in range(3):
            one = life(number, with_student=student)
            print(one, one.usd("eu-west-1"))
