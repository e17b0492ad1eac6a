"""The template's settings against the needs of the code that runs under them."""

import inspect
import re

import pytest
from tests.support.machines import DOCUMENTS, FUNCTIONS, RESOURCES, ROOT

from labswarm.aws.agent import DELIVERY_TIMEOUT_S
from labswarm.aws.dynamodb import state
from labswarm.chef.server import ChefServer, Connection
from labswarm.commands.hub_slots import HELD_S
from labswarm.names import app_name

LAYER = ROOT / "layers/labswarm/labswarm"


def code_of(function: str) -> str:
    folder: str = FUNCTIONS[function]["Properties"]["CodeUri"]
    return (ROOT / folder / "app.py").read_text()


def reaches_chef(function: str) -> bool:
    return "from labswarm.chef" in code_of(function)


def test_commands_read_lab_hours_from_the_table_that_the_app_writes() -> None:
    tables = [
        resource["Properties"]["TableName"]
        for resource in RESOURCES.values()
        if resource["Type"] == "AWS::DynamoDB::Table"
    ]
    assert state.TABLE in tables


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_in_the_vpc_if_and_only_if_it_asks_the_chef_server(function: str) -> None:
    """Others would pay for it with a colder start, and with an endpoint for each service."""
    assert ("VpcConfig" in FUNCTIONS[function]["Properties"]) == reaches_chef(function)


def test_some_function_asks_the_chef_server() -> None:
    assert [name for name in FUNCTIONS if reaches_chef(name)] == ["ChefFunction"]


def test_a_call_of_the_chef_server_ends_well_before_its_function() -> None:
    """A function that times out names neither the server nor the call."""
    for made in (ChefServer, Connection):
        longest_s = inspect.signature(made).parameters["timeout_s"].default
        assert longest_s <= FUNCTIONS["ChefFunction"]["Properties"]["Timeout"] / 5, made


def test_items_that_have_an_end_are_deleted_at_it() -> None:
    """Its adapter writes `expires_at`; without the setting the ledger grows for ever."""
    writes = {
        file.stem
        for file in (LAYER / "aws/dynamodb").glob("*.py")
        if '"expires_at"' in file.read_text()
    }
    expires = {
        table["Properties"]["TableName"]
        for table in RESOURCES.values()
        if table["Type"] == "AWS::DynamoDB::Table"
        and table["Properties"].get("TimeToLiveSpecification")
        == {"AttributeName": "expires_at", "Enabled": True}
    }

    assert writes == {"bookings", "ledger", "usages"}
    # A record of usage is an item of lab hours' table.
    assert expires == {app_name(table) for table in writes - {"usages"} | {"lab-hours"}}


def every_s(function: str) -> list[int]:
    """The seconds between two events of a function's schedules."""
    schedules = [
        str(event["Properties"].get("Schedule", ""))
        for event in FUNCTIONS[function]["Properties"].get("Events", {}).values()
    ]
    return [60 * int(n) for text in schedules for n in re.findall(r"rate\((\d+) minutes?\)", text)]


SCHEDULED = [name for name in FUNCTIONS if every_s(name)]


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_function_ends_before_its_next_schedule(function: str) -> None:
    """Two invocations at once would do the same work twice."""
    assert FUNCTIONS[function]["Properties"]["Timeout"] < min(every_s(function))


def test_the_minutes_functions_are_among_those_with_a_schedule() -> None:
    assert {"HeartbeatFunction", "DecideNodesFunction"} <= set(SCHEDULED)


OF_MANAGERS = [name for name in DOCUMENTS if name.startswith("labswarm-manager-")]


@pytest.mark.parametrize("document", OF_MANAGERS)
def test_a_command_on_the_hub_is_over_before_its_slot_is_free_again(document: str) -> None:
    """Otherwise more commands than there are slots would run at the hub's agent."""
    runs_s = sum(int(step["inputs"]["timeoutSeconds"]) for step in DOCUMENTS[document]["mainSteps"])

    assert DELIVERY_TIMEOUT_S + runs_s < HELD_S
    # And a slot whose holder was lost is soon free: until then its hub opens no node.
    assert 2 * (DELIVERY_TIMEOUT_S + runs_s) > HELD_S


def test_the_hubs_documents_are_found() -> None:
    assert {"labswarm-manager-pause", "labswarm-manager-evacuate"} <= set(OF_MANAGERS)


def test_code_names_the_apps_things_with_the_prefix_of_its_deployment() -> None:
    """A literal `labswarm-...` would name those of another deployment."""
    names = {
        str(resource["Properties"][kind]).removeprefix(app_name(""))
        for resource in RESOURCES.values()
        for kind in ("TableName", "QueueName", "FunctionName", "Name")
        if kind in resource.get("Properties", {})
    }
    assert {"snapshots", "undelivered", "decide-nodes", "node-launch"} <= names
    literals = {
        f"{file.relative_to(ROOT)}: {name}"
        for folder in ("operator", "layers", "functions", "node", "hub")
        for file in (ROOT / folder).rglob("*.py")
        if "node_modules" not in file.parts
        for name in re.findall(r"[\"'`(/ ]labswarm-([a-z-]+)[\"'`:. )]", file.read_text())
        if name in names
    }
    assert literals == set()


def test_a_machine_may_deliver_its_log_with_the_actions_that_step_functions_uses() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"""
    (statement,) = RESOURCES["DeliverLogs"]["Properties"]["PolicyDocument"]["Statement"]

    assert {action.removeprefix("logs:") for action in statement["Action"]} == {
        *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery"),
        *("ListLogDeliveries", "PutResourcePolicy", "DescribeResourcePolicies"),
        "DescribeLogGroups",
    }


def test_a_machine_sends_its_traces_with_the_actions_that_x_ray_lists() -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html"""
    (statement,) = RESOURCES["SendTraces"]["Properties"]["PolicyDocument"]["Statement"]

    assert {action.removeprefix("xray:") for action in statement["Action"]} == {
        *("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
    }
