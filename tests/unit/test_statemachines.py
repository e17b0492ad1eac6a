"""The rules for every state of every machine, read from the deployed files."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.machines import (
    DENIED,
    DOCUMENTS,
    FUNCTIONS,
    MACHINES,
    OF_CLAIMS,
    ROOT,
    all_states,
    load,
    reached,
)

from labswarm.lifecycle.hook_time import CLEANUP_S, LAUNCH_S
from labswarm.lifecycle.work import LOOK_S

# Lab and AWS do not agree on these yet, so the machines do without.
UNUSED = ("QueryLanguage", "Assign", ".sync:2", "ItemBatcher", "States.UUID", "$uuid", "{%")


STATES = [
    pytest.param(state, id=f"{machine.stem}-{name}")
    for machine in MACHINES
    for name, state in all_states(load(machine)["States"])
]
TASKS = [param for param in STATES if param.values[0]["Type"] == "Task"]  # type: ignore[index]

COMMANDS = [
    param
    for param in TASKS
    if "document" in param.values[0]["Parameters"].get("Payload", {})  # type: ignore[index]
]


def test_there_are_the_machines_of_both_hooks() -> None:
    assert {m.name for m in MACHINES} >= {"node_launch.asl.yaml", "node_terminate.asl.yaml"}


@pytest.mark.parametrize("state", STATES)
def test_every_state_states_its_purpose(state: dict[str, Any]) -> None:
    assert len(state["Comment"]) > 10


@pytest.mark.parametrize("task", TASKS)
def test_every_task_ends_in_time_tries_again_with_jitter_and_is_caught(
    task: dict[str, Any],
) -> None:
    assert task.get("TimeoutSecondsPath", task.get("TimeoutSeconds", 0))
    denied, *own, every = task["Retry"]
    assert denied == {"ErrorEquals": DENIED, "MaxAttempts": 0}
    # The step itself has failed, or was not answered in time.
    assert len(own) <= 1
    assert all(set(retry["ErrorEquals"]) <= {"Transient", "States.Timeout"} for retry in own)
    assert every["ErrorEquals"] == ["States.ALL"]
    assert (every["JitterStrategy"], every["MaxDelaySeconds"] <= 20) == ("FULL", True)
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.stem)
def test_no_machine_lists_the_errors_of_lambda(machine: Path) -> None:
    """AWS adds names; one that is missing in a list would end a launch."""
    assert not re.search(r"Lambda\.|Sandbox\.|Runtime\.", machine.read_text())


@pytest.mark.parametrize("task", TASKS)
def test_an_error_that_no_machine_names_is_waited_out(task: dict[str, Any]) -> None:
    """Half of all delays, as FULL jitter draws them, with no call that answers."""
    *_, every = task["Retry"]
    delays = [
        min(every["IntervalSeconds"] * every["BackoffRate"] ** n, every["MaxDelaySeconds"])
        for n in range(every["MaxAttempts"])
    ]
    replaces = "ReplaceInstances" in task["Parameters"]["FunctionName"]
    assert sum(delays) / 2 >= (4 if replaces else 9)


@pytest.mark.parametrize("task", TASKS)
def test_a_try_comes_soon_after_a_failure_and_no_pause_is_more_than_twice_the_last(
    task: dict[str, Any],
) -> None:
    """A node waits for what has long recovered if the pauses grow faster."""
    for retry in task["Retry"][1:]:
        assert retry["IntervalSeconds"] <= (1 if "States.ALL" in retry["ErrorEquals"] else 3)
        # https://states-language.net/spec.html#errors: 2.0 if a retrier does not say.
        growth = retry.get("BackoffRate", 2)
        assert growth <= 2
        assert growth == 1 or retry["MaxDelaySeconds"] <= 20


@pytest.mark.parametrize(
    "task",
    [
        param
        for param in TASKS
        if str(param.id).startswith(("lab_hours", "reconcile"))
        or str(param.id).endswith(("-Notify", "-Warn"))
    ],
)
def test_a_step_that_the_next_run_or_nobody_depends_on_is_given_up_soon(
    task: dict[str, Any],
) -> None:
    """Other nodes wait for their turn, and students for the next step."""
    for retry in task["Retry"][1:]:
        delays = [
            min(
                retry["IntervalSeconds"] * retry.get("BackoffRate", 2) ** n,
                retry["MaxDelaySeconds"],
            )
            for n in range(retry["MaxAttempts"])
        ]
        assert sum(delays) <= 100


def test_a_launch_waits_out_a_throttle_until_its_own_time_ends() -> None:
    states = load(ROOT / "statemachines/node_launch.asl.yaml")["States"]
    forward = [
        s for s in states.values() if s.get("Parameters", {}).get("Payload", {}).get("until")
    ]
    for task in forward:
        *_, every = task["Retry"]
        assert every["MaxAttempts"] * every["MaxDelaySeconds"] / 2 >= LAUNCH_S - CLEANUP_S


@pytest.mark.parametrize("task", TASKS)
def test_every_task_calls_a_function_of_the_template_that_ends_before_it(
    task: dict[str, Any],
) -> None:
    name = re.fullmatch(r"\$\{(\w+)\}", task["Parameters"]["FunctionName"])
    assert name is not None
    function = FUNCTIONS[name.group(1)]["Properties"]
    # The next attempt of a Task has a token of its own, which no earlier call may replace.
    longest_s = task.get("TimeoutSeconds", LOOK_S)
    assert function["Timeout"] < longest_s
    if not task["Resource"].endswith(".waitForTaskToken"):
        # A call whose answer is lost is made again soon.
        assert longest_s <= function["Timeout"] + 5
    assert (ROOT / function["CodeUri"] / "app.py").exists()


@pytest.mark.parametrize("task", COMMANDS)
def test_every_command_is_a_document_of_the_template_with_its_parameters(
    task: dict[str, Any],
) -> None:
    payload = task["Parameters"]["Payload"]
    document = DOCUMENTS[payload["document"]]
    given = {name.removesuffix(".$") for name in payload.get("parameters", {})}
    assert given == set(document.get("parameters", {}))
    assert payload["on"] == ("hub" if "-manager-" in payload["document"] else "node")


@pytest.mark.parametrize("task", COMMANDS)
def test_no_function_waits_for_a_command(task: dict[str, Any]) -> None:
    assert task["Resource"] == "arn:${Partition}:states:::lambda:invoke.waitForTaskToken"
    assert task["Parameters"]["Payload"]["token.$"] == "$$.Task.Token"
    # Its own look, when no event has come: 45 s for a machine that may be dead.
    assert task["TimeoutSeconds"] <= 60


def test_a_node_is_opened_as_a_worker_of_the_cluster_whose_hook_it_waits_in() -> None:
    activate = load(ROOT / "statemachines/node_launch.asl.yaml")["States"]["Activate"]
    given = activate["Parameters"]["Payload"]["parameters"]
    assert given["Cluster.$"] == "$.work.cluster"
    # An execution that began before a deploy goes on as it began, and gives none.
    assert DOCUMENTS["labswarm-manager-activate"]["parameters"]["Cluster"]["default"] == ""


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.stem)
def test_every_state_is_reached_and_exists(machine: Path) -> None:
    whole = load(machine)
    inner = [s["ItemProcessor"] for _, s in all_states(whole["States"]) if s["Type"] == "Map"]
    for definition in (whole, *inner):
        assert reached(definition["States"], definition["StartAt"]) == set(definition["States"])


@pytest.mark.parametrize("machine", OF_CLAIMS, ids=lambda m: m.stem)
def test_every_way_after_the_claim_completes_the_hook(machine: Path) -> None:
    states = load(machine)["States"]
    complete = {
        name
        for name, state in states.items()
        if "CompleteFunction" in str(state.get("Parameters", {}).get("FunctionName"))
    }
    without = {name: {} if name in complete else state for name, state in states.items()}

    ends = {
        name
        for name in reached(without, states["Owned?"]["Default"])
        if states[name]["Type"] in ("Succeed", "Fail")
    }

    assert ends == set()


def goes(choice: dict[str, Any], work: dict[str, Any]) -> str:
    """Where a Choice leads, by rules on texts of the work and their presence."""

    def holds(rule: dict[str, Any]) -> bool:
        if "And" in rule:
            return all(map(holds, rule["And"]))
        if "Not" in rule:
            return not holds(rule["Not"])
        name = rule["Variable"].removeprefix("$.work.")
        if "IsPresent" in rule:
            return bool((name in work) == rule["IsPresent"])
        (wanted,) = (v for k, v in rule.items() if k in ("StringEquals", "BooleanEquals"))
        return bool(work[name] == wanted)

    found = next((rule for rule in choice["Choices"] if holds(rule)), None)
    return str(found["Next"] if found else choice["Default"])


UNDOING = ["PauseAgain", "Leave", "Remove", "RemoveChefIdentity", "Abandon", "Failed"]


def test_a_launch_is_undone_step_by_step_also_after_a_step_that_failed() -> None:
    """No student lands on the node, it leaves the Swarm by itself, and its instance goes last."""
    states = load(ROOT / "statemachines/node_launch.asl.yaml")["States"]

    for state, following in itertools.pairwise(UNDOING):
        assert states[state]["Next"] == following
        assert [caught["Next"] for caught in states[state]["Catch"]] == [following]


@pytest.mark.parametrize(
    ("work", "state"),
    [
        ({"claimed": False}, "Refused"),
        ({"claimed": True, "refusal": "", "destination": "AutoScalingGroup"}, "AwaitAgent"),
        ({"claimed": True, "refusal": "", "destination": "WarmPool"}, "LetPool"),
        ({"claimed": True, "refusal": "no way", "destination": "WarmPool"}, "RefuseMove"),
        # Of the version before.
        ({"claimed": True, "destination": "AutoScalingGroup"}, "AwaitAgent"),
        ({"claimed": True, "destination": "WarmPool"}, "LetPool"),
    ],
)
def test_a_launch_goes_where_its_way_says(work: dict[str, Any], state: str) -> None:
    states = load(ROOT / "statemachines/node_launch.asl.yaml")["States"]

    assert goes(states["Owned?"], work) == state
    assert states["RefuseMove"]["Parameters"]["Payload"]["result"] == "ABANDON"


def test_the_forward_steps_of_a_launch_end_in_time_to_be_undone() -> None:
    states = load(ROOT / "statemachines/node_launch.asl.yaml")["States"]
    commands = {n: s["Parameters"]["Payload"] for n, s in states.items() if s["Type"] == "Task"}

    assert {n for n, payload in commands.items() if payload.get("until") == "forward_by"} == {
        *("Identify", "Bootstrap", "Join", "Pull", "Activate"),
    }


@pytest.mark.parametrize(
    ("machine", "transitions", "calls"),
    [("node_launch", 15, 9), ("node_terminate", 18, 9), ("spot_interruption", 18, 10)],
)
def test_the_way_without_failure_is_within_its_budget(
    machine: str, transitions: int, calls: int
) -> None:
    states = load(ROOT / "statemachines" / f"{machine}.asl.yaml")["States"]
    name, way = "Claim", ["Claim"]
    while states[name]["Type"] not in ("Succeed", "Fail"):
        state = states[name]
        # Nothing is caught, and the node is empty: the first rule of `Empty?`, else the default.
        empty = name == "Empty?"
        name = state["Choices"][0]["Next"] if empty else state.get("Next") or state["Default"]
        way.append(name)

    assert way[-1] in ("Joined", "Removed", "Done")
    assert len(way) <= transitions
    assert sum(states[name]["Type"] == "Task" for name in way) <= calls


def test_a_reconcile_run_costs_two_transitions_and_four_for_each_cluster_in_order() -> None:
    machine = load(ROOT / "statemachines/reconcile.asl.yaml")
    clusters, each = (machine["States"][name] for name in ("Clusters", "EachCluster"))
    states = each["ItemProcessor"]["States"]

    assert (machine["StartAt"], clusters["Next"], each["End"]) == ("Clusters", "EachCluster", True)
    assert each["ItemProcessor"]["StartAt"] == "ListChef"
    assert (states["ListChef"]["Next"], states["Compare"]["Next"]) == ("Compare", "Act?")
    nothing_due = states["Act?"]["Choices"][1]
    assert (nothing_due["Variable"], nothing_due["IsPresent"]) == ("$.plan.due[0]", False)
    assert states[nothing_due["Next"]]["Type"] == "Succeed"


def test_the_clusters_are_listed_knowing_all_that_was_asked_for() -> None:
    """An input has no clusters when it is given by hand: a path to them would fail."""
    clusters = load(ROOT / "statemachines/reconcile.asl.yaml")["States"]["Clusters"]
    assert clusters["Parameters"]["Payload"]["given.$"] == "$"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.stem)
def test_the_machine_uses_only_features_that_the_emulator_has(machine: Path) -> None:
    text = json.dumps(load(machine))
    assert [word for word in UNUSED if word in text] == []


@pytest.mark.parametrize(
    ("name", "document"), [pytest.param(n, d, id=n) for n, d in DOCUMENTS.items()]
)
def test_a_document_runs_one_tool_with_values_from_the_environment_only(
    name: str, document: dict[str, Any]
) -> None:
    (step,) = document["mainSteps"]
    (script,) = step["inputs"]["runCommand"]
    tool, verb = re.fullmatch(r"labswarm-(node|manager)-([\w-]+)", name).groups()  # type: ignore[union-attr]
    # The last one's answer is the document's; without the others it would not be asked.
    *_, last = commands = script.split(" && ")
    assert last.startswith(f"labswarm-{tool} {verb}")
    assert all(command.startswith(f"labswarm-{tool} ") for command in commands)
    assert "{{" not in script
    assert int(step["inputs"]["timeoutSeconds"]) > 0
    parameters = document.get("parameters", {})
    assert set(re.findall(r'"\$SSM_(\w+)"', script)) == set(parameters)
    for parameter in parameters.values():
        assert parameter["type"] == "String"
        assert parameter["interpolationType"] == "ENV_VAR"
        pattern = parameter["allowedPattern"]
        assert pattern.startswith("^")
        assert pattern.endswith("$")
        for attack in ("$(reboot)", "a;b", "`b`", 'a"b', "a b", "a\nb", "a'b", "a|b", "a&b"):
            assert not re.search(pattern, attack)


def test_the_machines_are_short() -> None:
    assert sum(len(machine.read_text().splitlines()) for machine in MACHINES) <= 1200


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.stem)
def test_a_definition_has_no_yaml_alias(machine: Path) -> None:
    """CloudFormation reads the file from S3, and refuses aliases: "SCHEMA_VALIDATION_FAILED".

    https://github.com/aws-cloudformation/cfn-language-discussion/issues/49
    """
    tokens = yaml.scan(machine.read_text())

    assert [t for t in tokens if isinstance(t, yaml.AliasToken | yaml.AnchorToken)] == []


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.stem)
def test_a_definition_runs_in_every_partition_of_aws(machine: Path) -> None:
    assert "arn:aws:" not in machine.read_text()
