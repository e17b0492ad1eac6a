"""Each log line of a function names the instance, the cluster and the execution."""

import io
import json
import logging
from collections import defaultdict
from typing import Any

import pytest
from tests.simulation.faults import Fault
from tests.simulation.functions import ROOT, function_names
from tests.simulation.simulation import CLUSTER, Simulation
from tests.support.app_twins import HOSTILE, INSTANCE, OWNER, event
from tests.support.handlers import Context

from labswarm.aws.observability import logger
from labswarm.log_keys import log_keys

KEYS = {"instance", "cluster", "execution"}
# A schedule's event is about all clusters, and starts executions itself.
OF_SCHEDULES = {"heartbeat", "decide_nodes", "begin_passes", "check_ready"}
# It names a command, whose label names the claim: the function's own line has the rest.
OF_COMMANDS = {"answer"}
# These work on a cluster, or on several instances of it.
OF_CLUSTERS = {"change_size", "command", "compare_sides", "list_clusters"}


@pytest.fixture(scope="module")
def sent() -> dict[str, list[dict[str, Any]]]:
    """Every event that each function gets while a cluster has a day of everything."""
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def recorded(name: str, handler: Any) -> Any:
        def handle(given: dict[str, Any]) -> Any:
            events[name].append(given)
            return handler(given)

        return handle

    with Simulation(1, ticks=True) as simulation:
        handlers = simulation._handlers
        handlers |= {name: recorded(name, handler) for name, handler in handlers.items()}
        first, second, _ = simulation.opened(3)
        for number in range(4):
            simulation.classroom.sit(f"s{number}")
        simulation.faults.tasks.append(Fault("labswarm-node-launch", "Claim", "permanent", 1))
        simulation.warn(first, "rebalance")
        simulation.warn(second)
        simulation.time.run(600)
        simulation.chef.clients[f"{CLUSTER}-i-00000000000000bad"] = "a key"
        simulation.kill(simulation.open_workers()[0])
        simulation.time.run(1800)
        used = simulation.classroom.worker_of("s0")
        assert used is not None
        simulation.groups.terminate_instance_in_auto_scaling_group(used, False)
        simulation.time.run(600)
        for student in sorted(simulation.classroom.students()):
            simulation.classroom.leave(student)
        simulation.time.run(3600)
    return events


def test_every_function_is_called(sent: dict[str, list[dict[str, Any]]]) -> None:
    assert set(function_names()) - set(sent) == set()


@pytest.mark.parametrize("name", function_names())
def test_each_event_of_a_function_names_the_subject_of_its_lines(
    name: str, sent: dict[str, list[dict[str, Any]]]
) -> None:
    if name in OF_SCHEDULES:
        return
    for given in sent[name]:
        keys = log_keys(given)
        if given.get("do") == "stay_active":
            assert keys == dict.fromkeys(KEYS, "")
            continue
        if name in OF_COMMANDS:
            assert keys["instance"], given
            continue
        assert keys["execution"].startswith("arn:aws:states:"), given
        if name != "list_clusters":
            assert keys["cluster"] == CLUSTER or "instance-id" in str(given), given
        if name not in OF_CLUSTERS and given.get("do") != "list":
            assert keys["instance"] or given.get("instances") == [], given


@pytest.mark.parametrize(
    ("sample", "instance", "cluster"),
    [
        ("launch", INSTANCE, "lab"),
        ("terminate", INSTANCE, "lab"),
        ("spot_interruption", INSTANCE, ""),
        ("seats_short", "", "lab"),
        ("agent_started", INSTANCE, ""),
        ("execution_failed", INSTANCE, "lab"),
        ("minute", "", ""),
    ],
)
def test_an_events_own_fields_are_read(sample: str, instance: str, cluster: str) -> None:
    keys = log_keys(event(sample))

    assert (keys["instance"], keys["cluster"]) == (instance, cluster)
    assert bool(keys["execution"]) == (sample == "execution_failed")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_field_of_any_kind_is_no_error(text: str) -> None:
    for value in (text, [text], {"instance_id": text}, 7, None, [7]):
        keys = log_keys({"work": value, "cluster": value, "detail": value, "instances": value})
        assert keys.keys() == KEYS
        assert all(len(key) <= 200 for key in keys.values())
    assert log_keys(text) == dict.fromkeys(KEYS, "")


def test_a_line_has_the_keys_of_its_own_invocation() -> None:
    written = io.StringIO()
    (handler,) = (h for h in logger.handlers if isinstance(h, logging.StreamHandler))
    before = handler.setStream(written)

    @logger.inject_lambda_context
    def function(event: dict[str, Any], context: object) -> dict[str, Any]:
        logger.info("began")
        logger.warning("of one", extra={"cluster": "other"})
        return {}

    try:
        function({"work": {"instance_id": INSTANCE, "cluster": "lab", "owner": OWNER}}, Context())
        function({"source": "aws.events"}, Context())
    finally:
        handler.setStream(before or io.StringIO())

    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [[line[key] for key in sorted(KEYS)] for line in lines] == [
        ["lab", OWNER, INSTANCE],
        ["other", OWNER, INSTANCE],
        ["", "", ""],
        ["other", "", ""],
    ]
    assert {line["function_name"] for line in lines} == {Context().function_name}


@pytest.mark.parametrize("name", function_names())
def test_every_handler_is_decorated(name: str) -> None:
    source = (ROOT / "functions" / name / "app.py").read_text()

    assert "@logger.inject_lambda_context\ndef handler(" in source
    assert "print(" not in source
