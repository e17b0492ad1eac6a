"""The dashboard shows everything that it promises, by metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse
from tests.support.deployed import Deployed

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
RESOURCES = yaml_parse(TEMPLATE)["Resources"]
BODY = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
WIDGETS = {widget["properties"]["title"]: widget for widget in json.loads(BODY)["widgets"]}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
COLUMNS = 24


def of_type(kind: str) -> set[str]:
    return {name for name, resource in RESOURCES.items() if resource["Type"] == kind}


def test_it_has_a_widget_for_each_thing_that_is_watched() -> None:
    assert sorted(WIDGETS) == [
        "Alarms",
        "Cost drivers, per hour",
        "Errors of functions, throttles, undelivered events",
        "Executions",
        "Nodes by state, all clusters",
        "Seats wanted and there, all clusters",
        "Time in the hooks (ms)",
    ]


def test_its_alarms_and_executions_are_all_that_there_are() -> None:
    alarms = [re.sub(r"\W|Arn$", "", one) for one in WIDGETS["Alarms"]["properties"]["alarms"]]
    machines = [metric[3].strip("${}") for metric in WIDGETS["Executions"]["properties"]["metrics"]]

    assert {one.removesuffix("Arn") for one in alarms} == of_type("AWS::CloudWatch::Alarm")
    assert set(machines) == of_type("AWS::Serverless::StateMachine")


def test_widgets_do_not_overlap() -> None:
    cells = [
        (x, y)
        for widget in WIDGETS.values()
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < COLUMNS


@pytest.mark.parametrize("text", [w["properties"] for w in WIDGETS.values()], ids=WIDGETS)
def test_each_name_in_it_is_of_a_resource(text: dict[str, Any]) -> None:
    for name in re.findall(r"\$\{(\w+)[.}]", json.dumps(text)):
        assert name in RESOURCES or name in ("AWS", "Prefix"), name


def test_the_metrics_of_groups_are_those_that_terraform_turns_on() -> None:
    workers = (ROOT / "terraform-base/modules/workers/main.tf").read_text()
    on = re.search(r"enabled_metrics\s+= (\[.*\])", workers)
    assert on is not None

    shown = re.findall(r"\$\{Prefix\} (Group\w+)'", BODY)

    assert shown
    assert set(shown) <= set(json.loads(on.group(1)))


def test_the_seats_are_in_the_line_that_the_query_reads() -> None:
    query = WIDGETS["Seats wanted and there, all clusters"]["properties"]["query"]
    source = (ROOT / "functions/decide_nodes/app.py").read_text()

    for field in re.findall(r"sum\((\w+)\)", query):
        assert f'"{field}":' in source
    message = re.search(r"message = '(\w+)'", query)
    assert message is not None
    assert f'"{message.group(1)}",' in source


@pytest.mark.parametrize(("tracing", "traced"), [("Disabled", False), ("Active", True)])
def test_functions_are_traced_only_when_that_is_asked_for(tracing: str, traced: bool) -> None:
    app = Deployed(TEMPLATE, Tracing=tracing)

    for function in app.of_type("AWS::Lambda::Function").values():
        assert ("TracingConfig" in function) == traced
        may = app.managed(app.role_of(function["Role"]))
        assert any("xray" in policy.lower() for policy in may) == traced
    assert yaml_parse(TEMPLATE)["Parameters"]["Tracing"]["Default"] == "Disabled"


def test_machines_are_traced_by_the_same_parameter_and_may_send_then() -> None:
    app = Deployed(TEMPLATE)
    enabled = {"Enabled": {"Fn::If": ["Traced", True, False]}}
    send = {"Fn::If": ["Traced", {"Ref": "SendTraces"}, {"Ref": "AWS::NoValue"}]}

    for machine in app.of_type("AWS::StepFunctions::StateMachine").values():
        assert machine["TracingConfiguration"] == enabled
        role = app.resources[app.role_of(machine["RoleArn"])]["Properties"]
        assert send in role["ManagedPolicyArns"]
    assert yaml_parse(TEMPLATE)["Conditions"]["Traced"] == {
        "Fn::Equals": [{"Ref": "Tracing"}, "Active"]
    }
