"""Every error that can occur is in one table with its source, and each catch uses it."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from tests.support.machines import DENIED, FUNCTIONS, MACHINES, all_states, load

from labswarm import errors
from labswarm.error_table import AWS, CHEF, DOCKER, aws_kind, http_kind
from labswarm.errors import BadInput, Gone, LabswarmError, Permanent, Throttled, Transient

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/errors.md"
WRITE = "write it again: python tests/unit/test_error_table.py"
SOURCES = sorted(
    path
    for folder in ("layers/labswarm/labswarm", "functions", "node/labswarm_node")
    for path in (ROOT / folder).rglob("*.py")
)
KINDS = {
    "LabswarmError",
    "Transient",
    "Throttled",
    "Gone",
    "Permanent",
    "BadInput",
    "OutOfSequence",
}
# An error from outside is caught here, to be made one of the kinds or named, and nowhere else.
MADE_A_KIND = {
    "ClientError": {"aws/errors.py", "join_secret.py"},
    "ConnectionError": {"aws/errors.py"},
    "HTTPClientError": {"aws/errors.py"},
    "BotoCoreError": {"join_secret.py"},
    "CredentialRetrievalError": {"labswarm_node/aws.py"},
    "NoCredentialsError": {"labswarm_node/aws.py"},
    "urllib3.exceptions.SSLError": {"chef/server.py"},
    "urllib3.exceptions.HTTPError": {"chef/server.py"},
    "HTTPError": {"aws/feed.py"},
    "ssl.SSLError": {"chef/server.py"},
    "http.client.HTTPException": {"engine_api.py", "hub.py"},
    "ssl.SSLCertVerificationError": {"chef/certificate.py"},
    "OSError": {
        "chef/certificate.py",
        "engine_api.py",
        "hub.py",
        "config.py",
        "fitness.py",
        "labswarm_node/document.py",
        "labswarm/shortages.py",
        "running_hub.py",
    },
    "SyntaxError": {"document/model.py"},
    "ValidationError": {"document/parse.py"},
    "MarkedYAMLError": {"document/parse.py"},
    "YAMLError": {"document/parse.py", "document/edit.py"},
    "FileNotFoundError": {"chef_run.py", "evacuation.py"},
    "subprocess.TimeoutExpired": {"chef_run.py", "fitness.py"},
    "EventProblem": {"timetable.py", "zones.py"},
    "EOFError": {"bounded.py"},
    "UnicodeDecodeError": {"calendar_text.py"},
}
# Malformed data raises these where it is read.
OF_READING = {
    "MALFORMED",
    *("ValueError", "KeyError", "TypeError", "AttributeError", "IndexError", "OverflowError"),
}
# Cleans up and raises it again; counts it and raises it again.
EVERYTHING = {"BaseException": "chef_identity.py", "Exception": "compare_sides/app.py"}


def caught(path: Path) -> Iterator[tuple[str, ast.ExceptHandler]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path}:{node.lineno} catches all"
            several = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            for one in several:
                yield ast.unparse(one).removeprefix("*"), node


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_caught_error_is_a_kind_or_becomes_one_where_it_comes_in(path: Path) -> None:
    for name, handler in caught(path):
        if name in EVERYTHING:
            assert str(path).endswith(EVERYTHING[name])
            assert isinstance(handler.body[-1], ast.Raise)
            assert handler.body[-1].exc is None
        elif name not in KINDS | OF_READING:
            known = tuple(f"/{file}" for file in MADE_A_KIND.get(name, ()))
            assert str(path).endswith(known), f"{path}:{handler.lineno}: {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_code_that_is_asked_for_is_in_the_table(path: Path) -> None:
    known = {code for line in AWS for code in line.codes}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare) and ast.unparse(node.left).startswith("code_of("):
            asked = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            assert asked <= known


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.stem)
def test_every_retry_and_catch_names_kinds_or_all(machine: Path) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"""
    for name, state in all_states(load(machine)["States"]):
        for rule in (*state.get("Retry", ()), *state.get("Catch", ())):
            assert set(rule["ErrorEquals"]) <= {
                *DENIED,
                "Transient",
                "States.Timeout",
                "States.ALL",
            }, name


SERVICES = {
    "elasticfilesystem": "efs",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
}


def allowed() -> set[str]:
    """Every action that a function may do."""
    statements = [
        statement
        for function in FUNCTIONS.values()
        for policy in function["Properties"]["Policies"]
        for statement in policy["Statement"]
    ]
    given = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
    return {action for actions in given for action in actions}


def modelled() -> Iterator[tuple[str, str]]:
    """Every error that AWS models for a call that a function makes."""
    session = botocore.session.get_session()
    for action in sorted(allowed()):
        service, operation = action.split(":")
        model = session.get_service_model(SERVICES.get(service, service))
        for error in model.operation_model(operation).error_shapes:
            yield action, getattr(error, "error_code", None) or error.name


@pytest.mark.parametrize(("action", "code"), sorted(modelled()))
def test_every_error_of_a_call_that_is_made_is_in_the_table(action: str, code: str) -> None:
    assert [line for line in AWS if code in line.codes], f"{code} of {action}"


def test_each_line_says_where_it_is_from() -> None:
    for source in (line.source for table in (AWS, DOCKER, CHEF) for line in table):
        assert source.startswith("https://")


def test_no_code_has_two_kinds() -> None:
    plain = [code for line in AWS if not line.text for code in line.codes]
    assert len(plain) == len(set(plain))


def test_a_kind_is_called_as_the_machines_call_it() -> None:
    for kind in (Transient, Throttled, Gone, Permanent, BadInput):
        assert getattr(errors, kind.__name__) is kind


def test_the_machines_deny_every_error_of_ours_that_is_not_transient() -> None:
    ours = {
        e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, LabswarmError)
    }
    assert {e.__name__ for e in ours if not issubclass(e, Transient)} == {
        *DENIED,
        LabswarmError.__name__,
    }


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("ValidationError", "No active Lifecycle Action found with token x", 400, Gone),
        ("ValidationError", "1 validation error detected", 400, Permanent),
        ("Throttling", "Rate exceeded", 400, Throttled),
        ("RequestLimitExceeded", "Request limit exceeded.", 503, Throttled),
        ("AccessDenied", "", 403, Permanent),
        ("NeverHeardOf", "", 400, Transient),
        ("NeverHeardOf", "", 503, Transient),
        ("ValidationError", "", 500, Transient),
    ],
)
def test_an_aws_error_has_the_kind_of_its_line(
    code: str, message: str, status: int, kind: type[LabswarmError]
) -> None:
    assert aws_kind(code, message, status) is kind


@pytest.mark.parametrize(
    ("table", "status", "message", "kind"),
    [
        (DOCKER, 503, "This node is not part of a swarm", Gone),
        (DOCKER, 500, "node x is not down and can't be removed", Transient),
        (DOCKER, 404, "pull access denied for x", Permanent),
        (DOCKER, 404, "node x not found", Gone),
        (DOCKER, 500, "", Transient),
        (DOCKER, 400, "", Permanent),
        (CHEF, 404, "", Permanent),
        (CHEF, 429, "", Transient),
        (CHEF, 502, "", Transient),
        (CHEF, 302, "", Permanent),
    ],
)
def test_an_answer_has_the_kind_of_its_line(
    table: object, status: int, message: str, kind: type[LabswarmError]
) -> None:
    assert http_kind(table, status, message) is kind  # type: ignore[arg-type]


HEAD = """# Errors

Each error is of one of three kinds, which decides the reaction:

- *transient*: retry, with jitter;
- *gone*: it is already done;
- *permanent*: end the step, undo its work or complete the hook, and notify a person.

A throttle is transient too, with the class `Throttled`: it says nothing about the step, and a step
that is throttled has not failed.

An error of AWS that is not listed is transient. One of Docker or the Chef Server is permanent,
unless the server failed itself (HTTP status 500 or more), could not be reached, or did not answer
in time. The app and the nodes' tools use this table. Its source is
`layers/labswarm/labswarm/error_table.py`. The machines know only the classes: they try every error
again that is not gone or permanent.

## AWS

| error | kind | source |
|---|---|---|"""


def page() -> str:
    lines = [HEAD]
    for line in AWS:
        for code in line.codes:
            name = f"`{code}`" + (f', "{line.text}"' if line.text else "")
            kind = "throttled" if line.kind is Throttled else line.kind.kind
            lines.append(f"| {name} | {kind} | {_link(line.source)} |")
    for title, table in (("Docker Engine", DOCKER), ("Chef Server", CHEF)):
        lines += ["", f"## {title}", "", "| answer | kind | source |", "|---|---|---|"]
        for answer in table:
            status = str(answer.status or "")
            name = ", ".join(filter(None, (status, answer.text and f'"{answer.text}"')))
            lines.append(f"| {name} | {answer.kind.kind} | {_link(answer.source)} |")
    return "\n".join(lines) + "\n"


def _link(source: str) -> str:
    return f"[{re.sub(r'[.](html|go)$', '', source.rstrip('/').rpartition('/')[2])}]({source})"


def test_the_page_has_the_table() -> None:
    assert PAGE.read_text() == page(), WRITE


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
