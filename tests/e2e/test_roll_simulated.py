"""A new image on simulated nodes: in the end all are of it, and a broken one is taken back."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.e2e.conftest import SIMULATED, LabUnderTest
from tests.support.rolls import command, images, is_settled, latest, register, roll
from tests.support.signals import usual_signals

pytestmark = pytest.mark.timeout(600)
BROKEN = {"Key": "labswarm-lab:broken", "Value": "yes"}


@pytest.fixture
def whole_lab(simulated_lab: LabUnderTest) -> Iterator[LabUnderTest]:
    """The lab at rest. A test that leaves it half rolled has it replaced for the next one."""
    simulated_lab.must("scale", "auto")
    yield simulated_lab
    if not is_settled(simulated_lab):
        simulated_lab.must("down", "--homes")
        simulated_lab.must("up", *SIMULATED)


def steps(completed: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    """The JSON output, in order."""
    return [json.loads(line) for line in completed.stdout.splitlines()]


@pytest.mark.deep
def test_all_nodes_are_of_the_new_image_and_asking_again_changes_nothing(
    whole_lab: LabUnderTest,
) -> None:
    before = latest(whole_lab)
    ami = register(whole_lab, "good")

    dry = roll(whole_lab, ami, "--dry-run", "--json")
    assert dry.returncode == 0, dry.stderr
    assert [said["what"] for said in steps(dry)] == ["plan"]
    assert latest(whole_lab) == before

    done = roll(whole_lab, ami, "--json")

    assert done.returncode == 0, done.stderr + done.stdout
    said = [one["what"] for one in steps(done)]
    assert said[:3] == ["version", "launch", "open"]
    assert (said[-1], set(said[3:-1])) == ("done", {"replacing"})
    assert set(images(whole_lab)) == {ami}
    # Only the image has changed, and the good version is the default, as Terraform has it.
    after = latest(whole_lab)
    assert after["LaunchTemplateData"] == {**before["LaunchTemplateData"], "ImageId": ami}
    assert after["DefaultVersion"]
    again = roll(whole_lab, ami, "--json")
    assert [one["what"] for one in steps(again)] == ["done"]
    assert latest(whole_lab) == after


def test_a_broken_image_is_taken_back_and_says_why(whole_lab: LabUnderTest) -> None:
    before, nodes = latest(whole_lab), images(whole_lab)

    failed = roll(whole_lab, register(whole_lab, "broken", BROKEN))

    assert failed.returncode == 1, failed.stderr + failed.stdout
    assert "did not open" in failed.stderr
    assert "not found" in failed.stderr
    assert "is taken back" in failed.stderr
    assert latest(whole_lab) == before
    whole_lab.eventually("nothing of it is left", lambda _: images(whole_lab) == nodes, 120)
    (node, *_) = whole_lab.status()["nodes"]
    assert node["availability"] == "active"


def test_ctrl_c_before_the_first_node_is_open_takes_it_back(whole_lab: LabUnderTest) -> None:
    before, nodes = latest(whole_lab), images(whole_lab)
    ami = register(whole_lab, "late")
    with usual_signals():
        process = subprocess.Popen(
            command(whole_lab, ami, "--json"), stdout=subprocess.PIPE, text=True
        )
    try:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["what"] != "launch":
            time.sleep(0.01)

        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 130
        assert json.loads(process.stdout.read().splitlines()[-1])["what"] == "taken back"
    finally:
        process.kill()
        process.wait()
    assert latest(whole_lab) == before
    whole_lab.eventually("nothing of it is left", lambda _: images(whole_lab) == nodes, 120)


@pytest.mark.parametrize(
    ("ami", "options", "said"),
    [
        ("ubuntu", (), "AMI: 'ubuntu' is not an image id"),
        ("ami-0123456789abcdef0", (), "AMI ami-0123456789abcdef0: There is no such image"),
        ("ami-0123456789abcdef0", ("--cluster", "x"), "There is no cluster 'x'"),
    ],
)
def test_a_roll_that_cannot_be_done_is_refused_by_name(
    whole_lab: LabUnderTest, ami: str, options: tuple[str, ...], said: str
) -> None:
    refused = roll(whole_lab, ami, *options)
    assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr


def test_a_size_that_is_held_by_hand_is_refused(whole_lab: LabUnderTest) -> None:
    whole_lab.must("scale", "1")
    refused = roll(whole_lab, register(whole_lab, "held"))
    whole_lab.must("scale", "auto")
    assert refused.returncode == 2
    assert f"labswarm lab --name {whole_lab.name} scale auto" in refused.stderr
