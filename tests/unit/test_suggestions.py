"""A typing error gets the nearest right word, and anything else the list."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from labswarm_lab.lab import Lab, Running
from labswarm_operator.cli import labswarm, main
from labswarm_operator.suggestions import unknown


def refused(*words: str) -> str:
    done = CliRunner().invoke(labswarm, [*words])
    assert done.exit_code == 2
    return done.output


def test_a_word_that_is_nearly_right_gets_the_nearest_one() -> None:
    assert unknown("node", "i-0aab", ["i-0aaa", "hub"]) == (
        "There is no node 'i-0aab'. Did you mean 'i-0aaa'?"
    )


def test_any_other_word_gets_the_list_and_a_long_list_is_shortened() -> None:
    assert unknown("part", "x", ["hub", "chef"]) == "There is no part 'x'. Choose from: hub, chef."
    assert unknown("part", "x", []) == "There is no part 'x'. There are none."
    assert unknown("part", "x", [f"part{n}" for n in range(25)]).endswith("part19 and 5 more.")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("recncile",), "Did you mean 'reconcile'?"),
        (("lab", "statsu"), "Did you mean 'status'?"),
        (("lab", "chef", "strat"), "Did you mean 'start'?"),
        (("lab", "fault", "set", "evnts"), "Did you mean 'events'?"),
        (("lab", "fault", "clear", "evnts"), "Did you mean 'events'?"),
        (("lab", "up", "--latency", "fats"), "Did you mean 'fast'?"),
        (("completion", "bsh"), "Did you mean 'bash'?"),
        (("redrive", "--quue", "x"), "--queue"),
    ],
)
def test_commands_options_and_their_values_are_suggested(
    words: tuple[str, ...], meant: str
) -> None:
    assert meant in refused(*words)


@pytest.fixture
def lab_that_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab with one profile, and a hub that nobody asks."""
    monkeypatch.setenv("LABSWARM_STATE", str(tmp_path))
    lab = Lab.named("physics")
    lab.hub_dir.mkdir(parents=True)
    (lab.hub_dir / "hub.json").write_text('{"profiles": {"notebook": {}, "cuda": {}}}')
    lab.write_running(
        Running(
            simulated=False,
            emulator="http://127.0.0.1:1",
            chef="https://chef.invalid",
            chef_organization=None,
            chef_ca_pem="",
            hub="http://127.0.0.1:1",
            manager="i-0",
            latency="fast",
        )
    )
    return lab


def test_a_wrong_option_is_one_sentence_and_the_usage_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["labswarm", "plan", "--tpye", "x"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--type). Run `" in said
    assert said.count("\n") == 1


def test_a_lab_that_is_not_up_gets_the_nearest_that_is(lab_that_is_up: Lab) -> None:
    words = ("lab", "--name", "phsyics", "status")

    assert f"Did you mean `--name {lab_that_is_up.cluster}`?" in refused(*words)
    assert "Run `labswarm lab --name other up`." in refused("lab", "--name", "other", "status")


def test_a_profile_that_the_hub_does_not_have_is_refused_before_a_student_comes(
    lab_that_is_up: Lab,
) -> None:
    words = ("lab", "--name", lab_that_is_up.cluster, "class", "1", "--profile")

    assert "There is no profile 'cud'. Did you mean 'cuda'?" in refused(*words, "cud")
