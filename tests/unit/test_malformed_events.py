"""Events of our own groups that the app does not understand: the whole app in virtual time."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.simulation.simulation import Simulation


def spoiled(simulation: Simulation, kind: str, field: str, value: str) -> None:
    """Change a field of every lifecycle event of this kind from now on."""
    notify = simulation.groups.notify

    def spoil(event: Mapping[str, Any]) -> None:
        if event["detail-type"] == f"EC2 Instance-{kind} Lifecycle Action":
            event = {**event, "detail": {**event["detail"], field: value}}
        notify(event)

    simulation.groups.notify = spoil


def test_launches_whose_events_are_malformed_are_held_and_the_field_is_named() -> None:
    """Once they ended green, and instances were launched and abandoned for hours."""
    with Simulation(2, ticks=True) as simulation:
        spoiled(simulation, "launch", "Origin", "Mars")
        simulation.scale(1)
        simulation.time.run(2 * 3600)

        launches = simulation.executions("labswarm-node-launch")
        failed = [e for e in launches if e.status == "FAILED"]
        assert {e.error for e in failed} == {"BadInput"}
        assert len(simulation.group.endings) <= 4
        assert any("launches of lab are held" in alarm for alarm in simulation.alarms)
        assert any("detail.Origin: is 'Mars'" in alarm for alarm in simulation.alarms)


@pytest.mark.parametrize("field", ["Destination", "LifecycleHookName", "LifecycleActionToken"])
def test_students_keep_their_time_when_the_terminate_event_is_malformed(field: str) -> None:
    with Simulation(2, ticks=True) as simulation:
        (worker,) = simulation.opened(1)
        simulation.classroom.sit("s1")
        simulation.time.run(20)
        spoiled(simulation, "terminate", field, "$(reboot)")
        simulation.groups.terminate_instance_in_auto_scaling_group(worker, False)

        assert simulation.time.run_until(lambda: worker not in simulation.group.instances, 600)

        claim = simulation.ledger.read_claim(worker, "terminate")
        assert claim is not None
        (cut,) = simulation.classroom.cuts
        assert cut.at >= claim.opened_at + 59
        assert not cut.drained
        assert any(f"detail.{field}" in alarm for alarm in simulation.alarms)
