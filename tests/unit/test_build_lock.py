"""Two labs of one checkout, brought up at the same moment, share what `sam build` makes."""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labswarm_lab import deploy
from labswarm_operator.refusal import Failure


class Sam:
    """Stands for the program `sam`: its calls, and how many ran at once."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.at_once = self.most_at_once = 0
        self.fails = False

    def __call__(self, verb: str, *words: str, root: Path, **environment: str) -> None:
        self.calls.append(verb)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(0.05)  # long enough for another to begin, were it not for the lock
        self.at_once -= 1
        if self.fails:
            raise Failure("sam build failed")
        if verb == "build":
            (root / ".aws-sam" / "build").mkdir(exist_ok=True)


@pytest.fixture
def sam(monkeypatch: pytest.MonkeyPatch) -> Sam:
    made = Sam()
    monkeypatch.setattr(deploy, "_sam", made)
    return made


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text("Resources: {}")
    return tmp_path


@contextmanager
def held(checkout: Path, how: int) -> Iterator[None]:
    """Another lab's process holds the build."""
    (checkout / ".aws-sam").mkdir(exist_ok=True)
    with (checkout / ".aws-sam" / "lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield


def said(capsys: pytest.CaptureFixture[str], text: str) -> bool:
    deadline, seen = time.monotonic() + 5, ""
    while time.monotonic() < deadline:
        seen += capsys.readouterr().err
        if text in seen:
            return True
        time.sleep(0.01)
    pytest.fail(f"not said within 5 s: {text!r}; said was {seen!r}")


def begun(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_labs_that_build_at_once_build_one_after_the_other_and_only_once(
    checkout: Path, sam: Sam
) -> None:
    labs = [begun(lambda: deploy.build(checkout)) for _ in range(4)]
    for lab in labs:
        lab.join(5)
    assert sam.calls == ["build"]
    assert sam.most_at_once == 1


def test_a_lab_that_has_to_wait_for_the_build_says_so_and_builds_after(
    checkout: Path, sam: Sam, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(checkout, fcntl.LOCK_EX):
        lab = begun(lambda: deploy.build(checkout))
        assert said(capsys, "waiting: another lab builds or deploys the app of this checkout")
        assert sam.calls == []
    lab.join(5)
    assert sam.calls == ["build"]


def test_nothing_is_rebuilt_while_a_lab_deploys_from_it(
    checkout: Path, sam: Sam, capsys: pytest.CaptureFixture[str]
) -> None:
    built = deploy.build(checkout)
    (checkout / "template.yaml").write_text("Resources: {New: {}}")
    with held(checkout, fcntl.LOCK_SH):
        deploy.deploy(built, "http://127.0.0.1:1", checkout)  # it only reads, as the other does
        lab = begun(lambda: deploy.build(checkout))
        assert said(capsys, "waiting")
        assert sam.calls == ["build", "deploy"]
    lab.join(5)
    assert sam.calls == ["build", "deploy", "build"]


def test_a_build_that_failed_is_made_again_and_its_lock_is_free(checkout: Path, sam: Sam) -> None:
    sam.fails = True
    with pytest.raises(Failure):
        deploy.build(checkout)
    sam.fails = False
    deploy.build(checkout)
    assert sam.calls == ["build", "build"]
