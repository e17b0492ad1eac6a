"""The emulator's record, as rows, text, JSON and a picture."""

import json
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

from labswarm_lab.collapsed import clock
from labswarm_lab.timeline import Timeline, as_text, timeline_of
from labswarm_lab.timeline_events import event_of, timeline_events
from labswarm_lab.timeline_svg import WIDTH, picture

HUB, NODE, OTHER = (f"i-{n:017x}" for n in range(3))
GROUP = "labswarm-lab-workers"
RUN = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-launch:1"
START = 1_800_000_000.0


def line(at: float, part: str, what: str, instance: str | None = NODE, **more: Any) -> Any:
    named = {} if instance is None else {"instance": instance}
    return {"at": START + at, "part": part, "what": what, **named, **more}


def command(at: float, document: str, what: str = "Success", about: str | None = None) -> Any:
    more = {"document": f"labswarm-{document}", **({"about": about} if about else {})}
    return line(at, "ssm", what, HUB if about else NODE, **more)


LIFE = [
    line(0, "ec2", "boot", HUB, tags={"labswarm:role": "hub"}),
    line(0.5, "ssm", "Online", HUB),
    line(1, "autoscaling", "Pending", group=GROUP),
    line(2, "autoscaling", "Pending:Wait", group=GROUP),
    line(3, "stepfunctions", "started", machine="labswarm-node-launch", execution=RUN),
    line(3.5, "functions", "answered", None, function="labswarm-claim"),
    command(5, "node-join"),
    command(8, "manager-activate", about=NODE),
    line(9, "stepfunctions", "SUCCEEDED", machine="labswarm-node-launch", execution=RUN),
    line(9.5, "autoscaling", "InService", group=GROUP),
    line(20, "spot", "EC2 Spot Instance Interruption Warning"),
    command(21, "manager-pause", about=NODE),
    line(23, "autoscaling", "Terminating", group=GROUP),
    command(24, "manager-pause", about=NODE),
    line(30, "autoscaling", "Terminated", group=GROUP),
    line(31, "ec2", "ended"),
]


def timeline(lines: list[Any], now: float = 40, since: float | None = None) -> Timeline:
    made = [one for text in lines if (one := event_of(text)) is not None]
    begins = None if since is None else START + since
    return timeline_of("lab", made, START + now, begins)


def drawn(made: Timeline) -> ET.Element:
    return ET.fromstring(picture(made))  # noqa: S314  # our own


def test_an_instances_phases_follow_each_other_from_launch_to_end() -> None:
    (_, row) = timeline(LIFE).rows
    assert (row.instance_id, row.group) == (NODE, GROUP)
    assert [(bar.phase, bar.begins - START, bar.ends and bar.ends - START) for bar in row.bars] == [
        ("launched", 1, 2),
        ("waiting", 2, 5),
        ("joined", 5, 8),
        ("open", 8, 21),
        ("paused", 21, 23),
        ("leaving", 23, 30),
        ("gone", 30, None),
    ]


def test_executions_are_of_their_instance_and_notices_are_marks() -> None:
    (_, row) = timeline(LIFE).rows
    (run,) = row.runs
    assert (run.machine, run.begins - START, run.status) == ("node-launch", 3, "SUCCEEDED")
    assert [mark.text for mark in row.marks] == ["EC2 sends a spot warning"]


def test_the_hub_is_first_and_open_with_its_agent() -> None:
    (hub, _) = timeline(LIFE).rows
    assert hub.group == "hub"
    assert [bar.phase for bar in hub.bars] == ["launched", "open"]


def test_events_of_no_instance_are_in_the_labs_own_row_which_is_the_last() -> None:
    failed = line(2, "functions", "failed", None, function="labswarm-command", error="no\nway")
    *_, last = timeline([failed, *LIFE]).rows
    assert last.instance_id is None
    assert [mark.text for mark in last.marks] == ["command failed: no way"]


def test_a_function_that_will_be_tried_again_is_no_failure() -> None:
    error = json.dumps({"errorMessage": "still ready", "errorType": "Transient"})
    made = event_of(line(2, "functions", "failed", None, function="labswarm-x", error=error))
    assert made is not None
    assert (made.kind, made.text) == ("step", "x is retried: still ready")


def test_since_a_time_earlier_events_are_left_out_and_bars_begin_there() -> None:
    made = timeline(LIFE, since=22)
    (hub, row) = made.rows
    assert [(bar.phase, bar.begins - START) for bar in row.bars] == [
        ("paused", 22),
        ("leaving", 23),
        ("gone", 30),
    ]
    assert (row.runs, row.marks) == ([], [])
    assert [bar.begins - START for bar in hub.bars] == [22]
    assert all(one.at >= START + 22 for one in made.events)


def test_an_instance_that_was_gone_has_no_row() -> None:
    assert [row.instance_id for row in timeline(LIFE, since=35).rows] == [HUB]


def test_as_text_it_lists_the_events_in_order_and_the_kind_of_each_instance() -> None:
    text = as_text(timeline(LIFE))
    at = datetime.fromtimestamp(START + 20).strftime("%H:%M:%S")
    assert f"{at}  {NODE}  EC2 sends a spot warning" in text
    assert text.splitlines()[-1] == (
        f"{NODE}  launched 1 s, waiting 3 s, joined 3 s, open 13 s, paused 2 s, leaving 7 s, gone"
    )
    assert "answered" not in text


def test_a_repeated_event_of_an_instance_is_shown_once_where_it_ended() -> None:
    made = as_text(
        timeline(
            [
                command(1, "manager-evacuate"),
                command(2, "manager-evacuate", about="i-2"),
                command(3, "manager-evacuate"),
                command(4, "manager-drain"),
                command(5, "manager-evacuate"),
            ]
        )
    ).splitlines()
    said = "its students are moved"
    assert [line.partition("  ")[2].split("  ", 1)[1].strip() for line in made[:4]] == [
        said,
        f"{said} (2 times since {clock(START + 1)})",
        "drained",
        said,
    ]


def test_a_fault_that_is_switched_on_or_off_is_listed() -> None:
    lines = [
        line(1, "faults", "on", None, kind="events"),
        line(2, "faults", "off", None, kind=None),
    ]
    made = as_text(timeline(lines))
    assert "fault events: on" in made
    assert "fault of any kind: off" in made


def test_an_empty_record_is_a_timeline_too() -> None:
    assert as_text(timeline([])).startswith("nothing has happened")
    assert drawn(timeline([])).tag.endswith("svg")


def test_json_has_the_rows_and_the_events() -> None:
    made = json.loads(json.dumps(timeline(LIFE).to_dict()))
    assert set(made) == {"lab", "begins", "ends", "rows", "events"}
    assert made["rows"][1]["phases"][0] == {
        "phase": "launched",
        "begins": START + 1,
        "ends": START + 2,
    }
    assert made["rows"][1]["executions"][0]["execution"] == RUN


def test_the_picture_has_a_row_per_instance_and_nothing_outside_the_canvas() -> None:
    many = [line(n, "autoscaling", "Pending", f"i-{n + 9:017x}", group="<g&>") for n in range(12)]
    root = drawn(timeline([*LIFE, *many]))
    space = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{space}text")]
    assert {HUB, NODE, "<g&>", "node-launch"} <= set(texts)
    height = float(root.attrib["height"])
    for rect in root.iter(f"{space}rect"):
        right = float(rect.attrib.get("x", 0)) + float(rect.attrib["width"])
        assert right <= WIDTH
        assert float(rect.attrib.get("y", 0)) + float(rect.attrib["height"]) <= height
    tops = [float(t.attrib["y"]) for t in root.iter(f"{space}text") if t.text in (HUB, NODE)]
    assert len(set(tops)) == 2


def test_a_line_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    assert list(timeline_events(record)) == []
    record.write_text(json.dumps(LIFE[2]) + "\n" + json.dumps(LIFE[3]))
    assert [one.phase for one in timeline_events(record)] == ["launched"]
