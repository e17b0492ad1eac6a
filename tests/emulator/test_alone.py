"""The emulator by itself, as `python -m labswarm_emulator` starts it."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from tests.support.signals import usual_signals

from labswarm_emulator.__main__ import main

COMMAND = [sys.executable, "-m", "labswarm_emulator"]


@pytest.mark.emulator
def test_it_prints_one_line_whose_variables_lead_a_client_to_it_and_ctrl_c_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "new" / "state"
    with usual_signals():
        process = subprocess.Popen(
            [*COMMAND, "--port", "0", "--state-dir", str(state)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        for variable in shlex.split(line.partition("export ")[2]):
            monkeypatch.setenv(*variable.split("=", 1))
        url = os.environ["AWS_ENDPOINT_URL"]
        made = boto3.session.Session().client("sqs").create_queue(QueueName="first")
        assert made["QueueUrl"].startswith(url)
        assert re.search(rf"ready at {re.escape(url)}\. ", line)

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=30) == 0
        assert process.stdout.read() == ""
        assert state.is_dir()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "99999"], "'99999' is no port. Choose a whole number from 0 to 65535."),
        (["--port", "-1"], "'-1' is no port"),
        (["--latency", "slow"], "invalid choice: 'slow' (choose from "),
        (["--time-scale", "0"], "'0' is no time scale. Choose a number above 0, up to 1."),
        (["--time-scale", "nan"], "'nan' is no time scale"),
        (["--concurrency", "0"], "'0' is no number of events"),
        (["--state-dir", "/dev/null/state"], "cannot use --state-dir /dev/null/state: "),
    ],
)
def test_bad_input_is_refused_with_its_value_and_exit_code_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_port_in_use_is_refused_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main(["--port", str(taken.getsockname()[1]), "--state-dir", str(tmp_path)])

    assert ended.value.code == 2
    assert "Choose another --port, or 0 for a free one." in capsys.readouterr().err


def test_every_line_of_its_help_about_an_option_begins_with_a_verb(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    for text in ("listen on this address", "keep the record", "add the waits", "limit how many"):
        assert text in said
