"""The same control plane where real nodes cannot be had."""

import pytest
from tests.e2e.conftest import LabUnderTest

pytestmark = pytest.mark.timeout(400)


def test_workers_come_and_go_through_the_hooks(simulated_lab: LabUnderTest) -> None:
    simulated_lab.must("scale", "3")
    seen = simulated_lab.status()
    assert seen["swarm"] == "simulated"
    assert [(n["asg"], n["swarm"], n["availability"], n["chef"]) for n in seen["nodes"]] == [
        ("InService", "ready", "active", "known")
    ] * 3

    simulated_lab.must("scale", "1")

    assert len(simulated_lab.status()["nodes"]) == 1
    (*_, execution) = simulated_lab.executions("labswarm-node-terminate", "SUCCEEDED")
    entered = simulated_lab.states_entered(execution)
    assert {"Pause", "Drain", "Leave", "Remove", "RemoveChefIdentity"} <= set(entered)


def test_a_class_is_refused_for_there_is_no_hub(simulated_lab: LabUnderTest) -> None:
    refused = simulated_lab.run("class", "2")
    assert refused.returncode == 2
    assert "simulated" in refused.stderr
