"""Event patterns on the emulator match, and are refused, as EventBridge's are.

Each case is a pattern of AWS's pages in our own words, an event it is for and one that it is not.
"""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.running_emulator import RunningEmulator

from labswarm_emulator.events.operators import InvalidPattern
from labswarm_emulator.events.pattern import matches, parse

INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"

Case = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


def event(detail: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event as EC2 sends it, with this detail, and other fields where they are given."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": "123456789012",
        "time": "2026-11-24T08:00:00Z",
        "region": "eu-west-1",
        "resources": [INSTANCE],
        "detail": detail,
        **more,
    }


def of(filters: Any, yes: Any, no: Any) -> Case:
    """One field of the detail: the filter, a value that matches and one that does not."""
    return {"detail": {"field": filters}}, event({"field": yes}), event({"field": no})


def check(case: Case) -> None:
    wanted, yes, no = case
    pattern = parse(json.dumps(wanted))
    assert matches(pattern, yes)
    assert not matches(pattern, no)


EXACT = [
    of(["running"], "running", "Running"),
    of(["pending", "running"], "running", "stopped"),
    of([7], 7, 8),
    of([7], 7, "7"),
    of([300], 300, 300.0),
    of([True], True, "true"),
    of([False], False, None),
    of([None], None, ""),
    of([""], "", None),
    of(["a b"], "a b", "a"),
    ({"source": ["aws.ec2"]}, event({}), event({}, source="aws.ec2fleet")),
    ({"account": ["123456789012"]}, event({}), event({}, account=123456789012)),
    ({"region": ["eu-west-1", "us-east-1"]}, event({}), event({}, region="eu-west-2")),
    ({"resources": [INSTANCE]}, event({}), event({}, resources=[])),
    (
        {"source": ["aws.ec2"], "detail": {"state": ["stopped"]}},
        event({"state": "stopped"}),
        event({"state": "stopped"}, source="my.app"),
    ),
    (
        {
            "source": ["aws.autoscaling"],
            "detail-type": ["EC2 Instance-launch Lifecycle Action"],
            "detail": {"AutoScalingGroupName": [{"wildcard": "labswarm-*-workers"}]},
        },
        event(
            {"AutoScalingGroupName": "labswarm-lab-workers"},
            **{
                "source": "aws.autoscaling",
                "detail-type": "EC2 Instance-launch Lifecycle Action",
            },
        ),
        event(
            {"AutoScalingGroupName": "labswarm-lab-workers"},
            **{
                "source": "aws.autoscaling",
                "detail-type": "EC2 Instance-terminate Lifecycle Action",
            },
        ),
    ),
]


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "A value matches what is written just so: its case, its type, and a number as it is written.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html",
)
@pytest.mark.parametrize("case", EXACT)
def test_a_value_matches_only_the_same_text(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "prefix and suffix match the ends of a text, with equals-ignore-case in either case.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of([{"prefix": "us-"}], "us-east-1", "eu-us-"),
        of([{"prefix": "10."}], "10.0.0.1", 10.5),
        of([{"prefix": {"equals-ignore-case": "eventb"}}], "EventBridge", "bridge"),
        of([{"suffix": ".png"}], "plot.png", "plot.PNG"),
        of([{"suffix": {"equals-ignore-case": "tbridge"}}], "EventBridge", "EventBridges"),
        of([{"prefix": "a"}, {"suffix": "z"}], "xyz", "xya"),
        (
            {"time": [{"prefix": "2026-11-24"}]},
            event({}),
            event({}, time="2026-11-25T00:00:00Z"),
        ),
        (
            {"resources": [{"prefix": "arn:aws:ec2:eu-west-1:"}]},
            event({}, resources=["arn:aws:s3:::bucket", INSTANCE]),
            event({}, resources=["arn:aws:s3:::bucket"]),
        ),
    ],
)
def test_the_ends_of_a_text(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "anything-but takes values, lists, prefix, suffix, equals-ignore-case and wildcard.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of([{"anything-but": "initializing"}], "running", "initializing"),
        of([{"anything-but": 123}], 124, 123),
        of([{"anything-but": ["stopped", "overloaded"]}], "running", "stopped"),
        of([{"anything-but": [100, 200, 300]}], 201, 200),
        of([{"anything-but": {"prefix": "us-"}}], "eu-west-1", "us-east-1"),
        of([{"anything-but": {"prefix": ["us-", "ap-"]}}], "eu-west-1", "ap-south-1"),
        of([{"anything-but": {"suffix": ".png"}}], "plot.svg", "plot.png"),
        of([{"anything-but": {"suffix": [".png", ".jpg"]}}], "plot.svg", "photo.jpg"),
        of([{"anything-but": {"equals-ignore-case": "initializing"}}], "up", "INITIALIZING"),
        of([{"anything-but": {"equals-ignore-case": ["up", "down"]}}], "sideways", "DOWN"),
        of([{"anything-but": {"wildcard": "*/lib/*"}}], "/usr/bin/x", "/usr/lib/x"),
        of([{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}], "/etc/x", "/usr/bin/x"),
        of([{"anything-but": "a"}], ["a", "b"], ["a", "a"]),
        (
            {"detail": {"field": [{"anything-but": "a"}]}},
            event({"field": 1}),
            event({"other": "b"}),
        ),
    ],
)
def test_anything_but(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "numeric compares with =, <, <=, > and >=, or a range of two; a text is no number.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of([{"numeric": ["=", 100]}], 100.0, 99),
        of([{"numeric": ["<", 10]}], 9.99, 10),
        of([{"numeric": ["<=", 0]}], 0, 0.1),
        of([{"numeric": [">", -5]}], -4, -5),
        of([{"numeric": [">=", 3.018e2]}], 301.8, 301.7),
        of([{"numeric": [">", 0, "<=", 5]}], 5, 0),
        of([{"numeric": [">=", 1, "<", 2]}], 1, 2),
        of([{"numeric": ["=", 1]}], 1, "1"),
        of([{"numeric": ["=", 1]}], 1, True),
    ],
)
def test_numbers(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "exists is about fields with a value, and holds for a missing field within a missing object.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        (
            {"detail": {"n": [{"exists": True}]}},
            event({"n": None}),
            event({"m": 1}),
        ),
        (
            {"detail": {"n": [{"exists": False}]}},
            event({"m": 1}),
            event({"n": 0}),
        ),
        (
            {"detail": {"n": [{"exists": True}]}},
            event({"n": 1}),
            event({"n": {"inner": 1}}),
        ),
        (
            {"detail": {"a": {"b": [{"exists": False}]}}},
            event({}),
            event({"a": {"b": 1}}),
        ),
        (
            {"detail": {"n": [{"exists": False}, "none"]}},
            event({"n": "none"}),
            event({"n": "some"}),
        ),
        (
            {"detail": {"list": {"x": [{"exists": False}]}}},
            event({"list": [{"y": 1}, {"y": 2}]}),
            event({"list": [{"x": 1}, {"y": 2}]}),
        ),
    ],
)
def test_fields_that_are_there_or_not(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "cidr matches IPv4 and IPv6 addresses of a block.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of([{"cidr": "10.0.0.0/24"}], "10.0.0.255", "10.0.1.0"),
        of([{"cidr": "10.0.0.7/8"}], "10.200.0.1", "11.0.0.1"),
        of([{"cidr": "2001:db8::/32"}], "2001:db8:1::5", "2001:db9::1"),
        of([{"cidr": "10.0.0.0/24"}], "10.0.0.1", "ten"),
        of([{"cidr": "0.0.0.0/0"}], "192.0.2.1", "2001:db8::1"),
    ],
)
def test_addresses(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "equals-ignore-case matches a text in any case.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of([{"equals-ignore-case": "alice"}], "ALICE", "alices"),
        of([{"equals-ignore-case": "ALICE"}, "bob"], "Alice", "BOB"),
        (
            {"detail-type": [{"equals-ignore-case": "ec2 instance State-change Notification"}]},
            event({}),
            event({}, **{"detail-type": "EC2 Instance"}),
        ),
    ],
)
def test_any_case(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "wildcard's * is any text, empty or not; a backslash takes * and itself literally.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of([{"wildcard": "dir/*.png"}], "dir/a/b.png", "dir/b.jpg"),
        of([{"wildcard": "labswarm-*-workers"}], "labswarm--workers", "labswarm-workers"),
        of([{"wildcard": "*"}], "", 1),
        of([{"wildcard": "a*b*c"}], "axxbxxc", "acb"),
        of([{"wildcard": r"5\*3"}], "5*3", "5x3"),
        of([{"wildcard": r"C:\\*"}], "C:\\tmp", "C:/tmp"),
        of([{"wildcard": "a.c"}], "a.c", "abc"),
    ],
)
def test_wildcards(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "$or matches when one of its patterns does, and the rest of the pattern matches too.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html",
)
@pytest.mark.parametrize(
    "case",
    [
        (
            {"detail": {"$or": [{"a": [1]}, {"b": [2]}]}},
            event({"a": 5, "b": 2}),
            event({"a": 2, "b": 1}),
        ),
        (
            {"$or": [{"source": ["my.app"]}, {"detail": {"state": ["stopped"]}}]},
            event({"state": "stopped"}),
            event({"state": "running"}),
        ),
        (
            {
                "source": ["aws.ec2"],
                "detail": {
                    "$or": [
                        {"c-count": [{"numeric": [">", 0, "<=", 5]}]},
                        {"d-count": [{"numeric": ["<", 10]}]},
                        {"x-limit": [{"numeric": ["=", 3.018e2]}]},
                    ]
                },
            },
            event({"c-count": 9, "d-count": 9}),
            event({"c-count": 9, "d-count": 10}),
        ),
        (
            {"detail": {"state": ["on"], "$or": [{"a": [1]}, {"a": [{"exists": False}]}]}},
            event({"state": "on"}),
            event({"state": "on", "a": 2}),
        ),
    ],
)
def test_one_or_the_other(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "event patterns",
    "An array matches by any of its elements, nested too; an object in one by all its fields.",
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-arrays.html",
)
@pytest.mark.parametrize(
    "case",
    [
        of(["b"], ["a", "b"], ["a", "c"]),
        of([3], [[1, 2], [3]], [[1, 2]]),
        of(["a"], ["a", 1, None], []),
        (
            {"detail": {"deep": {"er": {"yet": ["x"]}}}},
            event({"deep": {"er": {"yet": "x"}}}),
            event({"deep": {"yet": "x"}}),
        ),
        (
            {"detail": {"list": {"id": ["a"], "n": [1]}}},
            event({"list": [{"id": "b", "n": 2}, {"id": "a", "n": 1}]}),
            event({"list": [{"id": "a", "n": 2}, {"id": "b", "n": 1}]}),
        ),
        (
            {"detail": {"a": {"b": ["x"]}}},
            event({"a": [{"b": "y"}, [{"b": "x"}]]}),
            event({"a": "x"}),
        ),
    ],
)
def test_arrays_and_nested_objects(case: Case) -> None:
    check(case)


@pytest.mark.aws(
    "EventBridge",
    "PutRule",
    "A pattern that is none is refused: InvalidEventPatternException with the reason.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
)
@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[]", "Filter is not an object"),
        ("{", "not valid JSON"),
        ("{}", "Empty objects are not allowed"),
        ('{"source": "aws.ec2"}', '"source" must be an object or an array'),
        ('{"source": []}', "Empty arrays are not allowed"),
        ('{"detail": {"a": {}}}', "Empty objects are not allowed"),
        ('{"a": [["b"]]}', "Match value must be String, number, true, false, or null"),
        ('{"a": [{"like": "b"}]}', "Unrecognized match type like"),
        ('{"a": [{"prefix": "b", "suffix": "c"}]}', "Only one key allowed"),
        ('{"a": [{"prefix": ["b"]}]}', "prefix match pattern must be a string"),
        ('{"a": [{"exists": "yes"}]}', "exists match pattern must be either true or false"),
        ('{"a": [{"numeric": ["<"]}]}', "numeric expression"),
        ('{"a": [{"numeric": ["~", 1]}]}', "Unrecognized numeric range operator: ~"),
        ('{"a": [{"numeric": [">", "1"]}]}', "must be numeric"),
        ('{"a": [{"numeric": [">", 6e9]}]}', "must be between"),
        ('{"a": [{"numeric": [">", 5, "<", 5]}]}', "Bottom must be less than top"),
        ('{"a": [{"numeric": ["<", 5, ">", 1]}]}', "Bad numeric range operator"),
        ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required"),
        ('{"a": [{"cidr": "10.0.0.0/33"}]}', "Malformed CIDR"),
        ('{"a": [{"wildcard": "a**b"}]}', "Consecutive wildcard characters at pos 1"),
        (r'{"a": [{"wildcard": "a\\b"}]}', "Invalid escape character at pos 1"),
        ('{"a": [{"anything-but": [1, "a"]}]}', "all values are numbers or all strings"),
        ('{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', "Unsupported anything-but pattern"),
        ('{"a": [{"anything-but": {"prefix": ""}}]}', "Null prefix not allowed"),
        ('{"a": [{"anything-but": []}]}', "Empty arrays are not allowed"),
        ('{"$or": [{"a": [1]}]}', "at least 2 objects"),
        ('{"a": ["' + 4096 * "x" + '"]}', "longer than 4096 characters"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        parse(pattern)
    assert reason in str(refused.value)


def test_there_are_fifty_patterns_and_more() -> None:
    tables = [
        mark.args[1]
        for test in list(globals().values())
        for mark in getattr(test, "pytestmark", [])
        if getattr(mark, "name", "") == "parametrize" and mark.args[0] == "case"
    ]
    assert sum(map(len, tables)) >= 50


@pytest.mark.emulator
@pytest.mark.aws(
    "EventBridge",
    "TestEventPattern",
    "Says whether an event matches; the event has to have all fields but detail and version.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html",
)
def test_a_pattern_can_be_tried_on_an_event(emulator: RunningEmulator) -> None:
    events = emulator.client("events")

    def tried(pattern: Any, sent: Any) -> bool:
        answer = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(sent))
        return bool(answer["Result"])

    assert tried({"detail": {"n": [{"numeric": [">", 1]}]}}, event({"n": 2}))
    assert not tried({"detail": {"n": [{"numeric": [">", 1]}]}}, event({"n": 1}))
    with pytest.raises(ClientError, match=r"\(ValidationException\).*it has no id, account"):
        tried({"source": ["a"]}, {"source": "a"})
    with pytest.raises(ClientError, match=r"\(InvalidEventPatternException\).*not valid. Reason"):
        tried({"source": "a"}, event({}))


@pytest.mark.emulator
@pytest.mark.aws(
    "EventBridge",
    "PutRule",
    "A refused pattern makes no rule.",
    "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html",
)
def test_a_rule_with_a_bad_pattern_is_not_made(emulator: RunningEmulator, name: str) -> None:
    events = emulator.client("events")
    with pytest.raises(ClientError, match=r"\(InvalidEventPatternException\).*Unrecognized match"):
        events.put_rule(Name=name, EventPattern='{"source": [{"like": "a"}]}')
    assert events.list_rules(NamePrefix=name)["Rules"] == []
