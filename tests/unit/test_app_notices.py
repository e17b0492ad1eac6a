"""The machines that end a node notify students before they move them."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest
from tests.support.machines import DOCUMENTS, ROOT, load

from labswarm.errors import BadInput
from labswarm.notices import KINDS, LONGEST_MESSAGE, Message

SPOT, TERMINATE = (
    load(ROOT / f"statemachines/{name}.asl.yaml")["States"]
    for name in ("spot_interruption", "node_terminate")
)
EMPTY_BY = "2026-11-03T14:00:00Z"
BEFORE, AFTER = "2026-11-03T13:59:59Z", "2026-11-03T14:00:00Z"


def holds(rule: dict[str, Any], seen: dict[str, Any]) -> bool:
    """Whether a Choice's rule does, for the state's values by their paths."""
    if "And" in rule:
        return all(holds(part, seen) for part in rule["And"])
    if "IsPresent" in rule:
        return bool((rule["Variable"] in seen) == rule["IsPresent"])
    value = seen[rule["Variable"]]
    if "TimestampLessThanPath" in rule:
        bound = seen[rule["TimestampLessThanPath"]]
        return datetime.fromisoformat(value) < datetime.fromisoformat(bound)
    (wanted,) = (wanted for name, wanted in rule.items() if name.endswith("Equals"))
    return bool(value == wanted)


def choose(choice: dict[str, Any], seen: dict[str, Any]) -> str:
    found = next((rule for rule in choice["Choices"] if holds(rule, seen)), choice)
    return str(found.get("Next") or choice["Default"])


def way(looks: list[dict[str, Any]], notified: bool, end: str) -> Iterator[str]:
    """The states entered from a termination's Pause to `end`, when Pause answers so; unless
    `notified`, Notify fails."""
    states = TERMINATE
    name, answers = "Pause", iter(looks)
    notice: dict[str, Any] = {}
    seen: dict[str, Any] = {}
    while name != end:
        yield name
        state = states[name]
        if name == "Pause":
            seen = next(answers)
        if name == "Notify":
            notice = {"$.notice": {}}
        if state["Type"] == "Choice":
            name = choose(state, {"$.work.empty_by": EMPTY_BY, **seen, **notice})
        else:
            failed = name == "Notify" and not notified
            name = state["Catch"][-1]["Next"] if failed else state["Next"]
    yield end


def look(servers: int, at: str = BEFORE, urgent: bool = False, state: str = "ready") -> Any:
    return {
        "$.node.servers": servers,
        "$.node.urgent": urgent,
        "$.node.state": state,
        "$$.State.EnteredTime": at,
    }


@pytest.mark.parametrize("notified", [True, False])
def test_students_are_notified_once_when_their_time_begins(notified: bool) -> None:
    looks = [look(2), look(2), look(1), look(1, AFTER)]

    entered = [*way(looks, notified, "Evacuate")]

    wait = ["Pause", "Empty?", "AwaitStudents"]
    notified_first = ["Pause", "Empty?", "Notify", "AwaitStudents"]
    assert entered == [*notified_first, *wait, *wait, "Pause", "Empty?", "Evacuate"]


@pytest.mark.parametrize(
    ("seen", "end"),
    [
        (look(0), "Drain"),
        (look(2, urgent=True), "Warn"),
        (look(2, state="down"), "Evacuate"),
        (look(2, AFTER), "Evacuate"),
    ],
)
def test_a_node_without_students_gets_no_notice(seen: dict[str, Any], end: str) -> None:
    assert [*way([seen], True, end)] == ["Pause", "Empty?", end]


@pytest.mark.parametrize(
    ("seen", "entered"),
    [
        ({"$.notice": {}}, ["Warn", "Replace", "Occupied?", "Evacuate"]),
        ({"$.failure": {}}, ["Warn", "Replace", "Occupied?", "Evacuate"]),
        ({"$.gone": {}}, ["Warn", "Replace", "Occupied?", "RemoveChefIdentity"]),
    ],
)
def test_a_warning_is_sent_before_anyone_is_moved(seen: dict[str, Any], entered: list[str]) -> None:
    warn = SPOT["Warn"]
    after = {caught["ResultPath"]: caught["Next"] for caught in warn["Catch"]}
    second = next((after[path] for path in seen if path in after), warn["Next"])
    assert ["Warn", second, SPOT["Replace"]["Next"], choose(SPOT["Occupied?"], seen)] == entered


def test_students_with_a_later_deadline_are_notified_again_when_ec2_comes_first() -> None:
    warn = TERMINATE["Warn"]
    assert warn["Parameters"]["Payload"]["parameters"]["Kind"] == "interruption"
    assert warn["Next"] == "Evacuate"
    assert [caught["Next"] for caught in warn["Catch"]] == ["Evacuate"]


@pytest.mark.parametrize(("state", "path"), [("Notify", "$.notice"), ("Warn", "$.warned")])
def test_nothing_depends_on_a_notice_or_waits_for_it_long(state: str, path: str) -> None:
    notify = TERMINATE[state]
    (caught,) = notify["Catch"]
    # An execution fails by `$.failure` alone.
    assert caught["ResultPath"] == notify["ResultPath"] == path
    _, failed, _ = notify["Retry"]
    assert (failed["ErrorEquals"], failed["MaxAttempts"]) == (["Transient", "States.Timeout"], 1)
    assert notify["TimeoutSeconds"] == 15


def test_a_notice_says_until_when_the_server_stays() -> None:
    notifying = (SPOT["Warn"], TERMINATE["Notify"], TERMINATE["Warn"])
    given = [state["Parameters"]["Payload"]["parameters"] for state in notifying]
    assert [(p["Kind"], p["Deadline.$"]) for p in given] == [
        ("interruption", "$.work.evacuate_by"),
        ("terminate", "$.work.empty_by"),
        (
            "interruption",
            "States.Format('{}Z', "
            "States.ArrayGetItem(States.StringSplit($$.State.EnteredTime, '.Z'), 0))",
        ),
    ]
    document = DOCUMENTS["labswarm-manager-notify"]["parameters"]
    assert re.search(document["Deadline"]["allowedPattern"], EMPTY_BY)


def test_each_kind_is_known_to_document_machine_and_extension_alike() -> None:
    pattern = DOCUMENTS["labswarm-manager-notify"]["parameters"]["Kind"]["allowedPattern"]
    assert [kind for kind in KINDS if re.search(pattern, kind)] == list(KINDS)
    assert pattern == f"^({'|'.join(KINDS)})$"
    text = (ROOT / "cookbooks/labswarm_worker/files/default/labswarm_notice.py").read_text()
    sentences = text.partition("SENTENCES = {")[2].partition("\n}")[0]
    assert re.findall(r'^    "(\w+)": ', sentences, re.MULTILINE) == list(KINDS)


def test_hub_and_server_agree_on_the_longest_message() -> None:
    text = (ROOT / "cookbooks/labswarm_worker/files/default/labswarm_notice.py").read_text()
    assert f"LONGEST_MESSAGE, MESSAGE_SHOWN_S = {LONGEST_MESSAGE}, " in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" \n", "message: is empty"),
        ("a" * 501, "message: has 501 characters; write 500 at most"),
        ("save\x1b[2J now", r"message: has the control character U\+001B"),
        ("save \u202enow", r"message: has the control character U\+202E"),
    ],
)
def test_a_message_that_no_page_should_show_is_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Message(text)


def test_a_message_may_have_lines_markup_and_any_script() -> None:
    text = "Save <b>now</b>.\nשמרו את העבודה 👩🏽‍💻"
    assert asdict(Message(text)) == {"kind": "message", "text": text}
