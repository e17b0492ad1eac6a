"""`labswarm plan`: its options, refusals, text, picture and page."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from labswarm.lab_hours.booking import Booking
from labswarm.planning.answer import Answer
from labswarm.planning.cluster import Limits
from labswarm.planning.plan import plan
from labswarm.planning.students import Arrivals, Lab
from labswarm.readiness.planned import distributions
from labswarm_operator.cli import labswarm
from labswarm_operator.planning import question, reading
from labswarm_operator.planning.command import png
from labswarm_operator.planning.page import page
from labswarm_operator.planning.picture import picture, thinned
from labswarm_operator.planning.prices import node_prices, types
from labswarm_operator.planning.text import lines
from labswarm_operator.refusal import Refusal

TOMORROW = (datetime.now() + timedelta(days=1)).replace(hour=14, minute=0, second=0, microsecond=0)
AT = TOMORROW.isoformat(timespec="minutes")
SIZES = ("--node-seats", "7", "--max-nodes", "60", "--type", "m7i.large")
CLASS = ("--students", "40", "--at", AT, "--losses", "0")
FEED = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
SUMMARY:Physics
DESCRIPTION:seats: {seats}
DTSTART:{date}T100000Z
DTEND:{date}T120000Z
END:VEVENT
END:VCALENDAR
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(labswarm, ["plan", *words])


def refused(*words: str) -> str:
    """The one sentence of a refusal."""
    result = run(*words)
    assert result.exit_code == 2, result.output
    return " ".join(result.output.split())


def asked(**changed: Any) -> Answer:
    cluster = reading.given(reading.Sizes("m7i.large", node_seats=7, max_nodes=60))
    cluster = replace(cluster, prices=node_prices("eu-west-1", "m7i.large"), **changed)
    starts = TOMORROW.timestamp()
    lab = Lab(Booking("<Physics> & more", starts, starts + 7200, 40), 40)
    times = distributions(cluster, (), 0.05)
    return plan([lab], cluster, Arrivals(600, idle_s=0), times, 1)


# Answers


def test_a_class_that_fits_is_answered_in_the_first_line() -> None:
    result = run(*SIZES, *CLASS)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("Yes: all 40 students fit. 95 of 100 wait at")
    assert "uses up to 6 m7i.large nodes of 7 seats" in result.stdout
    assert "nodes from 13:55" in result.stdout
    assert "eu-west-1, list of 2026-10-08: $0.1124 per node-hour on demand" in result.stdout


def test_a_class_that_does_not_fit_ends_with_code_1_and_the_remedy() -> None:
    result = run(*SIZES, "--students", "500", "--at", AT)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        "No: 420 of 500 students fit. Raise max_nodes from 60 to 72."
    )


def test_json_is_one_object_with_the_same_verdict() -> None:
    values = json.loads(run(*SIZES, *CLASS, "--json").stdout)

    assert (values["version"], values["verdict"], values["students"]) == (1, "yes", 40)
    assert values["labs"][0]["starts"] == TOMORROW.timestamp()


def test_a_given_limit_is_checked_and_named() -> None:
    result = run(*SIZES, *CLASS, "--limit", "hub-servers=30", "--limit", "spot-vcpus=64")

    assert result.exit_code == 1
    assert "active_server_limit from 30 to 40" in result.stdout
    assert "vCPUs of spot instances" not in result.stdout


def test_the_labs_of_a_timetable_are_attended_in_full(tmp_path: Path) -> None:
    feed = tmp_path / "labs.ics"
    feed.write_text(FEED.format(seats=30, date=f"{TOMORROW:%Y%m%d}"))
    result = run(*SIZES, "--timetable", str(feed))

    assert result.exit_code == 0, result.output
    assert "Physics: 30 of 30 get a server" in result.stdout


def test_a_class_is_added_to_the_timetable(tmp_path: Path) -> None:
    feed = tmp_path / "labs.ics"
    feed.write_text(FEED.format(seats=30, date=f"{TOMORROW:%Y%m%d}"))

    values = json.loads(run(*SIZES, *CLASS, "--timetable", str(feed), "--json").stdout)

    assert [lab["students"] for lab in values["labs"]] == [30, 40]


def test_recorded_arrivals_are_used(tmp_path: Path) -> None:
    recorded = tmp_path / "arrivals.csv"
    recorded.write_text("seconds\n0\n1\n2.5\n")
    result = run(*SIZES, *CLASS, "--arrivals", str(recorded))

    assert "Students come as in the 3 recorded arrivals" in result.stdout


def test_a_type_without_a_price_here_is_answered_without_a_cost() -> None:
    """Without a type there is nothing to price."""
    result = run("--node-seats", "7", "--max-nodes", "60", *CLASS)

    assert "node hours" in result.stdout
    assert "$" not in result.stdout


# Refusals


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (CLASS, "Give --cluster, or --node-seats and --max-nodes."),
        ((*SIZES, "--students", "40"), "--students: Give the lab's start too, like --at 2026-"),
        (SIZES, "No lab is booked. Give --students and --at, or --timetable."),
        (
            (*SIZES, "--students", "40", "--at", "2020-01-01T10:00"),
            "--at: 2020-01-01 10:00 is in the past; give a time to come.",
        ),
        (
            (*SIZES, "--students", "40", "--at", "Tuesday"),
            "--at: 'Tuesday' is no time; write one like 2026-12-08T14:00.",
        ),
        (
            (*SIZES, *CLASS, "--type", "m7i.larg"),
            "There is no price in eu-west-1 of the type 'm7i.larg'. Did you mean 'm7i.large'?",
        ),
        (
            (*SIZES, *CLASS, "--region", "eu-west-2"),
            "There is no price list of the region 'eu-west-2'. Did you mean 'eu-west-1'?",
        ),
        ((*SIZES, *CLASS, "--arrive", "soon"), "--arrive: 'soon' is no duration of 0 to 24 hours"),
        ((*SIZES, *CLASS, "--lasts", "25h"), "--lasts: '25h' is no duration of 0 to 24 hours"),
        ((*SIZES, *CLASS, "--limit", "hub=3"), "--limit: There is no limit 'hub'."),
        (
            (*SIZES, *CLASS, "--limit", "hub-servers=0"),
            "--limit: 'hub-servers=0' has no whole number; write hub-servers=100.",
        ),
        ((*SIZES, "--timetable", "nowhere.ics"), "--timetable: nowhere.ics cannot be read ("),
        ((*SIZES, "--timetable", "pyproject.toml"), "--timetable: begins with '[build-system]"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(*words)


def test_a_timetable_without_a_lab_is_refused_with_its_first_problem(tmp_path: Path) -> None:
    feed = tmp_path / "labs.ics"
    feed.write_text(FEED.format(seats="many", date=f"{TOMORROW:%Y%m%d}"))

    assert "There is no lab of given within eight days. 'Physics' on" in refused(
        *SIZES, "--timetable", str(feed)
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("seconds\n1\nx\n", "line 3 of"), ("-5", "line 1 of"), ("", "has no number")],
)
def test_arrivals_that_cannot_be_read_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    recorded = tmp_path / "a.csv"
    recorded.write_text(text)

    assert sentence in refused(*SIZES, *CLASS, "--arrivals", str(recorded))


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    assert "cannot be written" in refused(*SIZES, *CLASS, "--svg", str(tmp_path / "no/x.svg"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("10", 600)]
)
def test_a_duration_has_a_unit_and_is_in_minutes_without(text: str, seconds: float) -> None:
    assert question.duration_s("--arrive", text) == seconds


# Prices


def test_a_type_whose_spot_price_was_not_seen_has_m7i_large_s_share_and_says_so() -> None:
    seen, taken = (node_prices("eu-west-1", name) for name in ("m7i.large", "t3.large"))

    assert taken.spot / taken.on_demand == pytest.approx(seen.spot / seen.on_demand)
    assert "m7i.large's share of the list price, 49%" in taken.spot_source
    assert "t3.large" in types("eu-west-1")


def test_a_list_without_a_date_says_so() -> None:
    assert node_prices("eu-west-1", "t3.large").date is None
    answer = replace(asked(), prices=node_prices("eu-west-1", "t3.large"))
    assert any("list of an unknown day" in line for line in lines(answer))


# Sizes


def test_measured_starts_replace_the_assumed_ones_when_there_are_five() -> None:
    cluster = reading.given(reading.Sizes(node_seats=7, max_nodes=3))

    assert (
        distributions(cluster, (60,) * 4, 0).node_start
        != distributions(cluster, (60,) * 5, 0).node_start
    )


def test_a_given_size_replaces_the_cluster_s_own() -> None:
    cluster = reading.given(reading.Sizes(node_seats=7, max_nodes=3))
    larger = reading.changed(cluster, reading.Sizes(max_nodes=50, node_start_s=90, vcpus=4))

    assert (cluster.max_nodes, larger.max_nodes) == (3, 50)
    assert (larger.description.node_start_s, larger.kind.vcpus, larger.kind.seats) == (90, 4, 7)


# The picture and the page


def texts(svg: str) -> list[str]:
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314
    return ["".join(one.itertext()) for one in found]


def test_the_picture_has_the_verdict_the_lab_and_the_largest_numbers() -> None:
    drawn = texts(picture(asked()))

    assert drawn[0].startswith("Yes: all 40 students fit.")
    assert "<Physics> & more" in drawn
    assert {"Students", "Nodes", "40", "6", "14:00", "waiting", "starting node"} <= set(drawn)


def test_every_mark_is_inside_the_picture() -> None:
    svg = picture(asked(limits=Limits(hub_servers=20)))
    points = [
        tuple(map(float, point.split(",")))
        for polygon in re.findall(r'points="([^"]+)"', svg)
        for point in polygon.split()
    ]

    assert len(points) > 100
    assert all(0 <= x <= 900 and 0 <= y <= 470 for x, y in points)


def test_a_week_is_thinned_and_keeps_its_peaks() -> None:
    first = asked().samples[0]
    samples = [replace(first, at=n, waiting=int(n == 5001)) for n in range(10_080)]
    kept = thinned(samples)

    assert len(kept) <= 401
    assert max(sample.waiting for sample in kept) == 1
    assert kept[-1] == samples[-1]


def test_the_page_begins_with_the_verdict_and_escapes_names() -> None:
    html = page(asked())

    heading = re.search(r"<h1[^>]*>([^<]*)</h1>", html)
    assert heading is not None
    assert heading[1].startswith("Yes: all 40 students fit.")
    assert html.index("<h1") < html.index("<svg") < html.index("<table")
    assert "<Physics>" not in html
    assert "&lt;Physics&gt; &amp; more" in html


def test_the_page_lists_the_changes_that_the_verdict_does_not_name() -> None:
    html = page(asked(most=2, limits=Limits(hub_servers=20)))

    assert "<li>Raise max_nodes" not in html
    assert "<li>Raise the hub&#x27;s active_server_limit from 20 to 40" in html


def test_the_png_is_the_same_picture() -> None:
    assert png(asked())[:8] == b"\x89PNG\r\n\x1a\n"


def test_without_the_extra_png_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)

    with pytest.raises(Refusal, match=r"pip install 'labswarm\[png\]'"):
        png(asked())


def test_files_are_written_and_named(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.svg", "a.html")]
    result = run(*SIZES, *CLASS, "--svg", str(files[0]), "--html", str(files[1]))

    assert files[0].read_text().startswith("<svg")
    assert files[1].read_text().startswith("<!doctype html>")
    assert [f"wrote {file}" in result.output for file in files] == [True, True]
