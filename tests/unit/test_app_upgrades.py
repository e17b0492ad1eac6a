"""`sam deploy` while executions run: they go on with the old definition, and call new functions.

calls_of_version_1.json has every call of the machines whose work has no version, and the parts of
the answer that each reads.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-state-machine-version.html
"""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from tests.simulation.paths import holds
from tests.support.app_twins import DESCRIPTION, INSTANCE, OWNER, TwinClock, event
from tests.support.handlers import KEY, Context, ledger, load
from tests.support.machines import FUNCTIONS, ROOT
from tests.support.machines import load as load_machine
from tests.twins.agent import TwinAgent
from tests.twins.groups import TwinGroups
from tests.twins.hooks import TwinHooks
from tests.twins.hub_slots import MemoryHubSlots
from tests.twins.tasks import TwinTasks

from labswarm.commands.starting import Starting
from labswarm.commands.steps import Commands
from labswarm.groups import Member
from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase
from labswarm.lifecycle.work import VERSION, Work

pytestmark = pytest.mark.usefixtures("account", "table")


# They were merged into ChefFunction. An execution that began before goes on without them, as a
# test shows.
RETIRED = ("RegisterChefClientFunction", "RemoveChefIdentityFunction")
KNOWN = json.loads((Path(__file__).parent / "calls_of_version_1.json").read_text())
WORK = KNOWN["work"]
TOKEN = event("launch")["detail"]["LifecycleActionToken"]
CALLS = [
    pytest.param(call, id=f"{call['machine']}-{call['state']}")
    for call in KNOWN["calls"]
    # The first is given no work.
    if call["function"] not in ("ReplaceInstancesFunction", *RETIRED)
]


class AnswersAll(TwinAgent):
    """Every command ends at once, with all that any tool answers."""

    def send(self, *args: Any) -> str:
        command_id = super().send(*args)
        self.ends(
            command_id,
            {"servers": [], "moving": [], "state": "ready", "public_key": KEY, "removed": True},
        )
        return command_id


def given(payload: Any) -> Any:
    """The payload as Step Functions makes it of work of version 1."""
    if not isinstance(payload, dict):
        return payload
    made = {}
    for name, value in payload.items():
        if name.endswith(".$"):
            made[name[:-2]] = taken(value)
        else:
            made[name] = given(value)
    return made


def taken(path: str) -> Any:
    if path == "$.identity.public_key":
        return KEY
    _, *names = path.split(".")
    found: Any = {"work": WORK}
    for name in names:
        found = found[name]
    return found


def folder(function: str) -> str:
    return Path(FUNCTIONS[function]["Properties"]["CodeUri"]).name


def app(name: str) -> Any:
    """A function of this deploy, over twins."""
    module = load(name)
    groups = TwinGroups({INSTANCE: Member(DESCRIPTION["asg"], "Pending:Wait")})
    if name == "command":
        module.COMMANDS = Commands(
            AnswersAll(), module.LEDGER, MemoryHubSlots(), TwinTasks(), module.CLOCK
        )
    elif name == "await_agent":
        module.STARTING = Starting(module.AWS.ledger(), TwinAgent(), TwinTasks(), TwinClock())
    elif name == "complete":
        module.COMPLETING._hooks, module.COMPLETING._groups = TwinHooks(TOKEN), groups
    elif name == "add_node":
        module.GROUPS = groups
    return module


@pytest.fixture(autouse=True)
def claim_of_version_1(table: None) -> None:
    """As that version wrote it."""
    ledger().write_claim(
        Claim(
            instance_id=INSTANCE,
            transition="launch",
            owner=OWNER,
            lease_until=1893456000 + LEASE_S,
            tokens={TOKEN: "launch"},
            hook="launch",
            asg=DESCRIPTION["asg"],
            cluster="lab",
            opened_at=1893456000,
            phases=(Phase("claimed", 1893456000),),
        )
    )
    boto3.client("dynamodb").update_item(
        TableName="labswarm-ledger",
        Key={"instance_id": {"S": INSTANCE}, "transition": {"S": "launch"}},
        UpdateExpression="REMOVE beats_until",
    )


def test_the_version_before_is_the_one_that_is_kept_here() -> None:
    assert VERSION == 2, "keep the calls of the version before this one instead"
    assert "version" not in WORK
    assert Work.parse(WORK).version == VERSION


@pytest.mark.parametrize("call", CALLS)
def test_an_execution_that_began_before_a_deploy_goes_on_after_it(call: dict[str, Any]) -> None:
    answer = app(folder(call["function"])).handler(given(call["payload"]), Context())

    assert set(call["answer"]) <= set(answer)


@pytest.mark.parametrize("machine", ["node_launch", "node_terminate", "spot_interruption"])
def test_without_a_retired_function_an_execution_still_completes_its_hook(machine: str) -> None:
    """Lambda answers ResourceNotFoundException; a launch is undone, and reconcile does the rest."""
    states = load_machine(ROOT / f"statemachines/{machine}.asl.yaml")["States"]
    retired = [
        states[call["state"]]
        for call in KNOWN["calls"]
        if call["machine"] == machine and call["function"] in RETIRED
    ]

    assert retired
    for state in retired:
        (everything,) = (c for c in state["Catch"] if c["ErrorEquals"] == ["States.ALL"])
        name = everything["Next"]
        while states[name]["Parameters"]["FunctionName"] != "${CompleteFunction}":
            assert any(c["ErrorEquals"] == ["States.ALL"] for c in states[name]["Catch"])
            name = states[name]["Next"]


@pytest.mark.parametrize(
    ("said", "entered"), [({}, False), ({"services": []}, False), ({"services": ["s1"]}, True)]
)
def test_a_plan_of_the_version_before_which_knows_no_services_has_none_removed(
    said: dict[str, Any], entered: bool
) -> None:
    machine = yaml.safe_load((ROOT / "statemachines/reconcile.asl.yaml").read_text())
    states = machine["States"]["EachCluster"]["ItemProcessor"]["States"]
    (rule,) = states["Services?"]["Choices"]

    assert holds(rule, {"plan": {"instances": [], **said}}, {}) == entered
    assert (rule["Next"], states["Services?"]["Default"]) == ("RemoveLostServices", "Decided")
