"""Builds the SAM app and deploys it to the emulator, with the same commands as to AWS."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from labswarm_emulator.emulator import REGION
from labswarm_lab.ground import Aws
from labswarm_operator.progress import say
from labswarm_operator.refusal import Failure

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = ("template.yaml", "functions", "layers", "statemachines")
STACK = "labswarm"
BUCKET = "labswarm-artifacts"
BUILT = ".aws-sam"
"""In the checkout: all labs share the build."""


def source_digest(root: Path = REPOSITORY) -> str:
    """One digest over everything that `sam build` reads."""
    digest = hashlib.sha256()
    for name in SOURCES:
        path = root / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(root)).encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def build(root: Path = REPOSITORY) -> Path:
    """`sam build`, unless what is built is of these sources; returns the build's folder.

    One at a time of a checkout, and none while it is deployed from. Raises Failure.
    """
    built = root / BUILT / "build"
    stamp = root / BUILT / "sources"
    with _holding_build(root, fcntl.LOCK_EX):
        digest = source_digest(root)
        if not (stamp.exists() and stamp.read_text() == digest and built.exists()):
            _sam("build", "--build-dir", str(built), root=root)
            stamp.write_text(digest)
    return built


def deploy(built: Path, url: str, root: Path = REPOSITORY, prefix: str = STACK) -> None:
    """`sam deploy` of a build to the emulator at `url`: the stack and its names have the prefix.

    Raises Failure.
    """
    with _holding_build(root, fcntl.LOCK_SH):
        _sam(
            "deploy",
            *("--template-file", str(built / "template.yaml")),
            *("--parameter-overrides", f"Prefix={prefix}"),
            *("--stack-name", prefix, "--s3-bucket", BUCKET, "--region", REGION),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--no-confirm-changeset", "--no-progressbar", "--no-fail-on-empty-changeset"),
            root=root,
            AWS_ENDPOINT_URL=url,
            AWS_ACCESS_KEY_ID="lab",
            AWS_SECRET_ACCESS_KEY="lab",  # noqa: S106  # the emulator accepts any
            AWS_DEFAULT_REGION=REGION,
            SAM_CLI_POLL_DELAY="0.5",
        )


def run_schedules(aws: Aws) -> None:
    """Have every function that has a schedule run once now, as its schedule would; does not wait.

    Else its first run is minutes away, and its alarm would be on until then.
    """
    events, functions = aws.client("events"), aws.client("lambda")
    for rule in events.list_rules()["Rules"]:
        if "ScheduleExpression" not in rule:
            continue
        event = {
            "source": "aws.events",
            "detail-type": "Scheduled Event",
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resources": [rule["Arn"]],
            "detail": {},
        }
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            if ":function:" in target["Arn"]:
                functions.invoke(
                    FunctionName=target["Arn"],
                    InvocationType="Event",
                    Payload=target.get("Input") or json.dumps(event),
                )


@contextmanager
def _holding_build(root: Path, how: int) -> Iterator[None]:
    """Have the checkout's build to oneself (LOCK_EX), or with others who only read it (LOCK_SH).

    A holder that is killed holds nothing.
    """
    folder = root / BUILT
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  waiting: another lab builds or deploys the app of this checkout")
            fcntl.flock(lock, how)
        yield


def _sam(*words: str, root: Path, **environment: str) -> None:
    completed = subprocess.run(
        [str(Path(sys.executable).with_name("sam")), *words],
        cwd=root,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode != 0:
        said = (completed.stdout + completed.stderr).strip().splitlines()
        raise Failure(f"sam {words[0]} failed:\n" + "\n".join(said[-20:]))
