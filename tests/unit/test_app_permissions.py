"""Each part of the app may make its own calls and no others: functions, machines, rules.

The calls are found in its code or its definition, and the permissions in its role, after SAM's
transformation. Values of run time are compared as far as they are known.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from tests.support.deployed import Deployed, Grant, arn
from tests.support.machines import all_states
from tests.support.machines import load as load_machine
from tests.support.reached_calls import Call, action_of_method, calls
from tests.support.service_authorization import (
    EVERYWHERE,
    LOG_DELIVERY,
    TRACES,
    Need,
    knows_no_resource,
    missing,
    needs,
    overlap,
    unused,
)
from tests.support.typed_programs import NotFollowed, Programs

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
APP = Deployed(TEMPLATE)
FUNCTIONS = APP.of_type("AWS::Lambda::Function")
MACHINES = APP.of_type("AWS::StepFunctions::StateMachine")
RULES = APP.of_type("AWS::Events::Rule")
DOCUMENTS = {properties["Name"] for properties in APP.of_type("AWS::SSM::Document").values()}
LOGS, VPC = "AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"
PLANTED = """
import boto3
from labswarm.aws.cluster import SsmClusters

SSM = boto3.client("ssm")
CLUSTERS = SsmClusters(SSM)


def handler(event: dict[str, str], context: object) -> None:
    CLUSTERS.read_cluster(event["cluster"])
    {call}
"""
CALLS = {
    "planted_another_action": 'SSM.put_parameter(Name="/labswarm/clusters/x", Value="{}")',
    "planted_another_parameter": 'SSM.get_parameter(Name="/elsewhere/secret")',
    "planted_behind_a_function": "forget(CLUSTERS)",
    "planted_another_client": 'boto3.client("sns").publish(TopicArn="arn:topic", Message="")',
    "planted_unused": "pass",
    "planted_untyped": 'boto3.client(event["service"]).do()  # type: ignore[call-overload]',
}
BEHIND = """

class Named(Protocol):
    def names(self) -> list[str]: ...

def forget(clusters: Named) -> None:
    [name for name in map(str, clusters.names())]
"""


@pytest.fixture(scope="module")
def programs() -> Programs:
    """Every function's module, and the planted ones, by their names."""
    planted = {
        name: "from typing import Protocol\n" + PLANTED.replace("{call}", call) + BEHIND
        for name, call in CALLS.items()
    }
    files = {name: ROOT / APP.sources[name] / "app.py" for name in FUNCTIONS}
    return Programs(files, planted, [ROOT / "layers" / "labswarm"])


def of_function(programs: Programs, name: str) -> set[Need]:
    variables = FUNCTIONS[name]["Environment"]["Variables"]
    environment = {variable: APP.text(value) for variable, value in variables.items()}
    called = needs(calls(programs, name, "handler", environment))
    return called | {Need("sqs:SendMessage", queue) for queue in sends_failures(name)}


def sends_failures(name: str) -> set[str]:
    """The queues to which Lambda sends, in a function's name, the events that it has given up.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    return {
        APP.text(properties["DestinationConfig"]["OnFailure"]["Destination"])
        for properties in APP.of_type("AWS::Lambda::EventInvokeConfig").values()
        if properties["FunctionName"] == {"Ref": name}
        and "OnFailure" in properties.get("DestinationConfig", {})
    }


def of_machine(name: str) -> set[Need]:
    definition = load_machine(ROOT / APP.sources[name])
    substitutions = MACHINES[name]["DefinitionSubstitutions"]
    needed = set()
    if MACHINES[name].get("LoggingConfiguration"):
        needed |= {Need(action, EVERYWHERE) for action in LOG_DELIVERY}
    if MACHINES[name].get("TracingConfiguration"):
        needed |= {Need(action, EVERYWHERE) for action in TRACES}
    for _, state in all_states(definition["States"]):
        if state["Type"] == "Task":
            needed |= of_task(state, substitutions)
    return needed


def of_task(state: dict[str, Any], substitutions: dict[str, Any]) -> set[Need]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/service-integration-iam-templates.html"""
    given = state.get("Parameters", {})
    match re.sub(r"^arn:[^:]+:states:::", "", state["Resource"]).split(":"):
        case ["lambda", "invoke" | "invoke.waitForTaskToken"]:
            function = APP.text(substitutions[given["FunctionName"].strip("${}")])
            return {Need("lambda:InvokeFunction", function)}
        case ["aws-sdk", service, operation]:
            action = action_of_method(
                {"sfn": "stepfunctions"}.get(service, service), xform_name(operation)
            )
            said = {k: frozenset({v}) for k, v in given.items() if isinstance(v, str)}
            return needs([Call(action, said)])
    raise NotFollowed(f"what {state['Resource']} calls is not known here")


def role(properties: dict[str, Any]) -> str:
    return APP.role_of(properties.get("Role") or properties["RoleArn"])


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_may_make_its_own_calls_and_no_other(programs: Programs, name: str) -> None:
    needed, granted = of_function(programs, name), APP.grants(role(FUNCTIONS[name]))

    assert missing(needed, granted) == set()
    assert unused(needed, granted) == set()


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_those_of_awss_policies_that_its_place_wants(name: str) -> None:
    wanted = {LOGS, VPC} if "VpcConfig" in FUNCTIONS[name] else {LOGS}

    assert APP.managed(role(FUNCTIONS[name])) == wanted


@pytest.mark.parametrize("name", sorted(MACHINES))
def test_a_machine_may_make_the_calls_of_its_states_and_no_other(name: str) -> None:
    needed, granted = of_machine(name), APP.grants(role(MACHINES[name]))

    assert missing(needed, granted) == set()
    assert unused(needed, granted) == set()


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_may_start_its_target_and_nothing_else(name: str) -> None:
    for target in RULES[name]["Targets"]:
        to = APP.text(target["Arn"])
        if ":function:" in to:
            assert to in invoked_by(arn("events", f"rule/*{name}*")), "no Lambda permission"
            continue
        needed = {Need("states:StartExecution", to)}
        granted = APP.grants(APP.role_of(target["RoleArn"]))
        assert missing(needed, granted) == set()
        assert unused(needed, granted) == set()


def invoked_by(rule: str) -> set[str]:
    """The functions that let a rule invoke them."""
    return {
        arn("lambda", f"function:{APP.text(permission['FunctionName'])}")
        for permission in APP.of_type("AWS::Lambda::Permission").values()
        if permission["Principal"] == "events.amazonaws.com"
        and APP.text(permission["SourceArn"]) == rule
    }


def test_every_role_is_someones() -> None:
    users = {role(p) for p in (*FUNCTIONS.values(), *MACHINES.values())}
    targets = [target for rule in RULES.values() for target in rule["Targets"]]
    users |= {APP.role_of(target["RoleArn"]) for target in targets if "RoleArn" in target}

    assert set(APP.of_type("AWS::IAM::Role")) == users


def test_rules_may_write_to_their_dead_letter_queues_and_alarms_to_their_topics() -> None:
    queues = {
        APP.text(target["DeadLetterConfig"]["Arn"])
        for rule in RULES.values()
        for target in rule["Targets"]
        if "DeadLetterConfig" in target
    }
    alarms = APP.of_type("AWS::CloudWatch::Alarm").values()
    topics = {APP.text(to) for alarm in alarms for to in alarm["AlarmActions"] + alarm["OKActions"]}

    assert let("AWS::SQS::QueuePolicy", "events.amazonaws.com") == {("sqs:SendMessage", *queues)}
    assert let("AWS::SNS::TopicPolicy", "cloudwatch.amazonaws.com") == {("sns:Publish", *topics)}


def let(kind: str, service: str) -> set[tuple[str, str]]:
    """The actions and resources that resource policies of a kind let a service do and have."""
    statements = [s for p in APP.of_type(kind).values() for s in p["PolicyDocument"]["Statement"]]
    assert {s["Principal"]["Service"] for s in statements} == {service}
    assert all("aws:SourceAccount" in s["Condition"]["StringEquals"] for s in statements)
    return {(grant.action, grant.resource) for grant in APP.allowed({"Statement": statements})}


def all_grants() -> list[Grant]:
    return [grant for name in APP.of_type("AWS::IAM::Role") for grant in APP.grants(name)]


def test_no_grant_is_of_many_actions() -> None:
    assert [grant for grant in all_grants() if "*" in grant.action] == []


def test_only_actions_without_resources_are_allowed_on_all() -> None:
    everywhere = {grant.action for grant in all_grants() if grant.resource == EVERYWHERE}

    assert [action for action in everywhere if not knows_no_resource(action)] == []


def unreasoned(template: str) -> list[int]:
    """The lines that grant on all resources, and say why neither there nor at their statement."""
    found, statement = [], ""
    for number, line in enumerate(template.splitlines(), start=1):
        if "- Sid:" in line:
            statement = line
        if re.search(r"Resource:\s*['\"]\*['\"]", line) and "#" not in line + statement:
            found.append(number)
    return found


def test_a_grant_on_all_resources_says_why() -> None:
    assert unreasoned(TEMPLATE) == []
    assert unreasoned("- Sid: A\n  Resource: '*'\n- Sid: B  # why\n  Resource: '*'") == [2]


def test_commands_are_ours_and_go_to_instances_of_our_clusters() -> None:
    sent = [grant for grant in all_grants() if grant.action == "ssm:SendCommand"]
    ours = {arn("ssm", f"document/{name}") for name in DOCUMENTS}
    documents = {grant.resource for grant in sent if ":document/" in grant.resource}
    instances = [grant for grant in sent if ":document/" not in grant.resource]

    # Not labswarm-chef-*: Terraform's, which back up and replace the Chef Server.
    families = {arn("ssm", f"document/labswarm-{whose}-*") for whose in ("node", "manager")}
    assert documents <= ours | families
    assert all(any(overlap(document, family) for family in families) for document in ours)
    assert {grant.resource for grant in instances} == {arn("ec2", "instance/*")}
    for grant in instances:
        roles = grant.condition["StringEquals"]["ssm:resourceTag/labswarm:role"]
        assert set([roles] if isinstance(roles, str) else roles) <= {"worker", "hub"}


def test_every_document_is_sent_and_every_document_sent_is_there() -> None:
    machines = [load_machine(ROOT / APP.sources[name]) for name in MACHINES]
    states = [state for machine in machines for _, state in all_states(machine["States"])]
    payloads = [state.get("Parameters", {}).get("Payload", {}) for state in states]
    by_machines = {payload["document"] for payload in payloads if "document" in payload}
    by_functions = {
        grant.resource.rpartition("/")[2]
        for grant in all_grants()
        if ":document/" in grant.resource and not grant.resource.endswith("*")
    }

    assert by_machines | by_functions == DOCUMENTS


# That the check itself finds what it is for.

CLUSTERS = Grant("ssm:GetParameters", arn("ssm", "parameter/labswarm/clusters/*"))


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("planted_another_parameter",
         Need("ssm:GetParameter", arn("ssm", "parameter/elsewhere/secret"))),
        ("planted_behind_a_function",
         Need("ssm:GetParametersByPath", arn("ssm", "parameter/labswarm/clusters"))),
        ("planted_another_client", Need("sns:Publish", "arn:topic")),
    ],
)  # fmt: skip
def test_a_planted_call_without_permission_is_found(
    programs: Programs, name: str, needed: Need
) -> None:
    assert missing(needs(calls(programs, name, "handler", {})), [CLUSTERS]) == {needed}


def test_a_planted_call_of_an_action_nobody_looked_up_is_found(programs: Programs) -> None:
    found = calls(programs, "planted_another_action", "handler", {})

    assert {call.action for call in found} == {"ssm:GetParameters", "ssm:PutParameter"}
    with pytest.raises(KeyError, match="ssm:PutParameter"):
        needs(found)


def test_a_planted_client_of_no_known_type_is_found(programs: Programs) -> None:
    with pytest.raises(NotFollowed, match="client of no known type"):
        calls(programs, "planted_untyped", "handler", {})


@pytest.mark.parametrize(
    "grant",
    [
        Grant("ssm:PutParameter", arn("ssm", "parameter/labswarm/clusters/*")),
        Grant("ssm:GetParameter", arn("ssm", "parameter/elsewhere/*")),
    ],
)
def test_a_planted_grant_without_use_is_found(programs: Programs, grant: Grant) -> None:
    needed = needs(calls(programs, "planted_unused", "handler", {}))

    assert missing(needed, [CLUSTERS]) == set()
    assert unused(needed, [CLUSTERS, grant]) == {grant}


def test_a_planted_state_that_calls_an_api_itself_is_found() -> None:
    state = {
        "Resource": "arn:aws:states:::aws-sdk:autoscaling:completeLifecycleAction",
        "Parameters": {
            "AutoScalingGroupName": "labswarm-x-workers",
            "LifecycleHookName.$": "$.hook",
        },
    }
    group = arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/labswarm-x-workers")

    assert of_task(state, {}) == {Need("autoscaling:CompleteLifecycleAction", group)}
    with pytest.raises(NotFollowed, match="events:putEvents"):
        of_task({"Resource": "arn:aws:states:::events:putEvents"}, {})


def test_a_connectors_grants_are_the_roles_too() -> None:
    function = "  AwaitAgentFunction:\n    Type: AWS::Serverless::Function\n"
    connector = (
        "    Connectors:\n      ToLedger:\n        Properties:\n"
        "          Destination: {Id: Ledger}\n          Permissions: [Write]\n"
    )
    planted = Deployed(TEMPLATE.replace(function, function + connector))

    granted = planted.grants("AwaitAgentFunctionRole")

    assert {"ssm:DescribeInstanceInformation", "dynamodb:PutItem"} <= {g.action for g in granted}
