"""`labswarm hub logs`: CloudWatch Logs and a lab's logs answer alike."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws

from labswarm_lab.hub_logs import LabLogs
from labswarm_operator.cli import labswarm
from labswarm_operator.hub_logs import HubLogs, LogLine
from labswarm_operator.refusal import Refusal

GROUP = "/labswarm/lab/hub"
# CloudWatch Logs, and moto, take no line that is old or of the future.
START = time.time() // 1 - 600
STARTS = "[I 2027-01-15 08:00:01.000 JupyterHub spawner:351] Starting ada on n1 (abc)"
Write = Callable[[float, str], None]


class Account:
    """One log group with a stream `hub`; `write` adds a line at a time (epoch seconds)."""

    def __init__(self, client: Any, write: Write) -> None:
        self.client = client
        self.write = write

    def logs(self, sleep: Callable[[float], None] = lambda _: None) -> HubLogs:
        return HubLogs(lambda _service: self.client, "lab", lambda: START, sleep)


@pytest.fixture(params=["cloudwatch", "lab"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    if request.param == "lab":
        lines: list[str] = []

        def write(at: float, text: str) -> None:
            lines.append(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z {text}")

        yield Account(LabLogs(GROUP, {"hub": lambda _since: lines}), write)
        return
    with mock_aws():
        client: Any = boto3.client(
            "logs", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName="hub")

        def put(at: float, text: str) -> None:
            client.put_log_events(
                logGroupName=GROUP,
                logStreamName="hub",
                logEvents=[{"timestamp": int(at * 1000), "message": text}],
            )

        yield Account(client, put)


def test_a_part_has_its_lines_since_a_time(account: Account) -> None:
    for second, text in enumerate(["early", STARTS, "late"]):
        account.write(START + second, text)

    found = list(account.logs().lines("hub", START + 1, follow=False))

    assert found == [LogLine(START + 1, "hub", STARTS), LogLine(START + 2, "hub", "late")]


def test_new_lines_follow_each_once_and_one_that_comes_late_is_not_lost(account: Account) -> None:
    account.write(START, "first")
    new = [(START + 5, "second"), (START + 3, "written before, seen after")]

    def sleep(_seconds: float) -> None:
        account.write(*new.pop(0))

    lines = account.logs(sleep).lines("hub", START, follow=True)

    assert [line.text for line in islice(lines, 3)] == [
        *("first", "second", "written before, seen after")
    ]


def test_the_spawner_has_the_hubs_lines_about_servers(account: Account) -> None:
    texts = [
        "[I 2027-01-15 08:00:00.000 JupyterHub app:3346] JupyterHub is now running",
        STARTS,
        "[E 2027-01-15 08:00:02.000 JupyterHub user:1015] Unhandled error starting ada's server",
        "    Traceback (most recent call last):",
        "[I 2027-01-15 08:00:03.000 JupyterHub log:192] 200 GET /hub/home",
        "[E 2027-01-15 08:00:04.000 JupyterHub base:1141] Not starting ada's server : HTTP 503",
    ]
    for second, text in enumerate(texts):
        account.write(START + second, text)

    found = [line.text for line in account.logs().lines("spawner", START, follow=False)]

    assert found == [texts[1], texts[2], texts[3], texts[5]]


def test_a_part_without_a_log_is_refused(account: Account) -> None:
    # moto answers for a stream that is not there as if it were empty; AWS refuses.
    if isinstance(account.client, LabLogs):
        with pytest.raises(Refusal, match="has no stream 'proxy' yet"):
            list(account.logs().lines("proxy", START, follow=False))
    other = HubLogs(lambda _service: account.client, "physics")
    with pytest.raises(Refusal, match="The log group /labswarm/physics/hub has no stream 'hub'"):
        list(other.lines("hub", START, follow=False))


def test_a_file_of_python_logging_has_its_own_times() -> None:
    at = datetime(2026, 12, 1, 10, 0, 0, 250_000)
    lines = ["2026-12-01 10:00:00,250 INFO trying version 3", "Traceback", "  line 1"]
    client = LabLogs(GROUP, {"document": lambda _since: lines})

    found = list(HubLogs(lambda _: client, "lab").lines("document", 0, follow=False))

    assert found == [LogLine(at.timestamp(), "document", line) for line in lines]


def test_the_command_prints_text_or_an_object_per_line(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.write(START, STARTS)
    monkeypatch.setattr("labswarm_operator.account.clients", lambda _name, aws: account_of(account))
    monkeypatch.setattr("labswarm_operator.hub_document.chosen_hub", lambda _clients, _name: "lab")

    text = CliRunner().invoke(labswarm, ["hub", "logs", "spawner", "--since", "1h"])
    data = CliRunner().invoke(labswarm, ["hub", "logs", "hub", "--since", "1h", "--json"])

    assert (text.output, text.exit_code) == (f"{STARTS}\n", 0)
    assert json.loads(data.output) == {"at": START, "part": "hub", "text": STARTS}


def test_a_time_that_is_none_is_refused_with_2(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labswarm_operator.account.clients", lambda _name, aws: account_of(account))

    result = CliRunner().invoke(labswarm, ["hub", "logs", "--since", "soon"])

    assert (result.exit_code, "--since: 'soon' is not a time" in result.output) == (2, True)


def account_of(account: Account) -> Callable[[str], Any]:
    return lambda _service: account.client
