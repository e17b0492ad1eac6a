"""docs/reference/emulator.md lists exactly the conformance suite of the emulator."""

import re
from collections import Counter
from pathlib import Path

import pytest
from tests.support import page

OF_OUR_OWN = {
    "test_control_api.py": "the control API, which AWS does not have",
    "test_alone.py": "the emulator by itself",
    "test_doctor_emulated.py": "the command `labswarm doctor`, on the emulator",
    "test_plan_emulated.py": "the command `labswarm plan`, on the emulator",
    "test_ground.py": "what the lab lays on the emulator",
    "test_server.py": "the emulator as a process",
    "test_eventbridge_faults.py": "the emulator's faults",
    "test_fault_command.py": "the command `lab fault`",
    "test_function_processes.py": "how the emulator starts functions' processes",
    **dict.fromkeys(
        (
            "test_autoscaling_hooks.py::test_an_action_is_over_after_its_heartbeat_timeout_and_not_before",
            "test_autoscaling_hooks.py::test_a_closed_action_is_no_longer_found_and_its_timer_does_not_fire",
            "test_autoscaling_mix.py::test_running_instances_count_towards_the_mix",
            "test_autoscaling_policies.py::test_a_bad_crontab_expression_is_refused",
            "test_eventbridge_patterns.py::test_there_are_fifty_patterns_and_more",
            "test_schedules.py::test_a_rate_is_read",
            "test_schedules.py::test_a_schedule_fires_between_its_beginning_and_its_end",
            "test_schedules.py::test_a_time_that_is_over_when_its_schedule_is_made_never_comes",
        ),
        "a rule without its emulator; another test of the file has its line",
    ),
    "test_functions.py::test_workers_end_with_the_emulator_however_it_ends": "the process",
    "test_functions_limits.py::test_a_new_worker_takes_no_event_before_its_init_is_over": "latency",
    "test_functions_limits.py::test_a_crash_that_cannot_be_is_refused": "the control API",
    "test_app_alarms.py::test_every_alarm_of_the_template_is_driven_here": "the suite's own bounds",
    **{
        f"test_functions_states.py::{name}": "the faults, which AWS does not have"
        for name in (
            "test_a_function_without_a_vpc_is_always_active",
            "test_each_function_is_connected_by_its_own_first_invocation",
            "test_a_limit_never_raises_the_accounts_own",
            "test_a_limit_that_is_no_whole_number_from_1_is_refused",
        )
    },
    "test_app_first_runs.py": "a lab that is new",
    "test_app_hooks.py": "the app's machines and functions, on the emulator",
    "test_app_hub_line.py": "the app's commands to a hub, on the emulator",
    "test_app_prefixes.py": "two deployments of the app, on the emulator",
    "test_app_redrive.py": "the app's dead letters, on the emulator",
    "test_autoscaling_mix.py::test_a_shrinking_group_keeps_its_mix_and_zones": (
        "the arithmetic, without an emulator"
    ),
    **{
        f"test_calls_refused.py::{name}": "the switch, which AWS does not have"
        for name in (
            "test_an_sdk_waits_out_a_throttle_by_itself",
            "test_a_bucket_holds_one_second_of_calls_and_refills_at_the_rate",
            "test_a_rate_that_is_no_number_above_0_is_refused",
            "test_other_actions_are_answered_meanwhile",
            "test_a_requests_action_is_read_by_the_services_models",
            "test_an_unsigned_request_has_no_action",
            "test_a_refusal_that_cannot_be_is_refused",
        )
    },
    "test_simulation_machines.py": "the interpreter of tests/simulation",
    "test_simulation_twins.py": "the twins of tests/simulation",
    "test_app_alarms.py::test_the_other_alarms_are_on_metrics_of_aws": "the template",
    "test_app_alarms.py::test_a_function_writes_the_metric_of_an_alarm": "the app, no emulator",
}
"""Tests next to the conformance tests that say nothing about AWS, and their subjects."""

FILES = sorted(page.SUITE.glob("test_*.py"))


def test_the_page_equals_the_suites_present_output() -> None:
    made = page.page(page.suite_lines())
    kept = page.PAGE.read_text(encoding="utf-8")
    assert kept == made, "`python -m tests.support.page` writes it anew"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_conformance_test_is_on_the_page(file: Path) -> None:
    left = [
        name
        for name in page.unmarked(file)
        if not {file.name, f"{file.name}::{name}"} & set(OF_OUR_OWN)
    ]
    assert left == []


def test_each_exception_exists() -> None:
    names = {file.name for file in FILES}
    tests = {f"{file.name}::{name}" for file in FILES for name in page.unmarked(file)}
    assert set(OF_OUR_OWN) <= names | tests


def test_every_line_is_of_a_service_that_is_known() -> None:
    wrong = [line for line in page.suite_lines() if line.service not in page.SERVICES]
    assert wrong == []


def test_every_source_is_documentation_of_aws() -> None:
    wrong = [
        line
        for line in page.suite_lines()
        if line.kind == "aws"
        and not (line.also.startswith(page.PUBLISHED) and re.fullmatch(r"[!-~]+", line.also))
    ]
    assert wrong == []


def test_no_line_is_there_twice() -> None:
    lines = page.suite_lines()
    counted = Counter((line.kind, line.service, line.api, line.said) for line in lines)
    assert [said for said, count in counted.items() if count > 1] == []


MARKED = """
import pytest

@pytest.mark.aws("SQS", "SendMessage", "It is sent " "once.", "https://docs.aws.amazon.com/x")
def test_marked(): ...

@pytest.mark.absent("SQS", "Purge", "It is refused.")
class TestOfAClass:
    def test_in_it(self): ...

@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.differs("S3", "a", "b.", "c."))])
def test_of_one_case(n): ...

@pytest.mark.emulator
def test_bare(): ...
"""


def test_a_marker_is_read_from_a_test_its_class_or_one_of_its_cases(tmp_path: Path) -> None:
    file = tmp_path / "test_file.py"
    file.write_text(MARKED)

    lines = page.lines_of(file)

    assert [(line.kind, line.service, line.said) for line in lines] == [
        ("aws", "SQS", "It is sent once."),
        ("absent", "SQS", "It is refused."),
        ("differs", "S3", "b."),
    ]
    assert page.unmarked(file) == ["test_bare"]
    assert page.page(lines).endswith(
        "## S3\n\n### a\n\n- **Differs:** b. Why: c.\n\n"
        "## SQS\n\n### Purge\n\n- **Absent:** It is refused.\n\n"
        "### SendMessage\n\n- It is sent once ([source](https://docs.aws.amazon.com/x)).\n"
    )


@pytest.mark.parametrize(
    "marker",
    [
        'aws("SQS", "SendMessage", "It is sent.")',
        'absent("SQS", "Purge", answer="It is refused.")',
        'absent("SQS", "Purge", f"It is {1}.")',
        'absent("SQS", "Purge", " ")',
    ],
)
def test_a_marker_that_makes_no_line_is_refused_by_its_place(tmp_path: Path, marker: str) -> None:
    file = tmp_path / "test_file.py"
    file.write_text(f"import pytest\n@pytest.mark.{marker}\ndef test_it(): ...\n")
    with pytest.raises(page.Unreadable, match=r"test_file\.py:2"):
        page.lines_of(file)
