"""`labswarm lab class`: let students log in and work, and print how each fared."""

import asyncio
import json
import statistics
from dataclasses import asdict
from typing import Any

import click

from labswarm_lab.hub import is_healthy, settings_file, wait_healthy
from labswarm_lab.lab import Lab
from labswarm_lab.students import STEPS, Progress, Result, run_class
from labswarm_operator.progress import say, step
from labswarm_operator.refusal import Refusal
from labswarm_operator.suggestions import unknown

# A hub takes some ten seconds to restart.
_HUB_BACK_WITHIN_S = 60.0


def attend(lab: Lab, students: int, *, profile: str | None, as_json: bool) -> bool:
    """Let `students` students log in and choose `profile`; return whether all succeeded.

    The class begins once the hub answers. Raises Refusal if the lab has no hub or its hub no such
    profile, Permanent if the hub does not answer within a minute.
    """
    hub = lab.running.hub
    if hub is None:
        raise Refusal(
            f"The nodes of the lab {lab.cluster!r} are simulated, so it has no hub to log in to. "
            "Start a lab with real nodes, as root."
        )
    _check_profile(lab, profile)
    if not is_healthy(hub):
        with step("waiting for the hub"):
            wait_healthy(hub, _HUB_BACK_WITHIN_S)
    results = asyncio.run(_attended(hub, students, profile))
    if as_json:
        click.echo(json.dumps({"students": [_report(result) for result in results]}))
    else:
        _print(results)
    return all(result.ok for result in results)


def _check_profile(lab: Lab, profile: str | None) -> None:
    known = list(json.loads(settings_file(lab.hub_dir).read_text())["profiles"])
    if profile is not None and profile not in known:
        raise Refusal(f"--profile: {unknown('profile', profile, known)}")


async def _attended(hub: str, students: int, profile: str | None) -> list[Result]:
    results = []
    async for event in run_class(hub, students, profile=profile):
        if isinstance(event, Progress):
            took = "" if event.seconds is None else f" ({event.seconds:.1f} s)"
            say(f"  {event.student}  {event.step}: {event.message}{took}")
        else:
            results.append(event)
            how = "saved its file" if event.ok else f"failed: {event.reason}"
            say(f"  {event.student}  {how}  ({len(results)} of {students})")
    return sorted(results, key=lambda result: result.student)


def _report(result: Result) -> dict[str, Any]:
    return {"ok": result.ok, **asdict(result)}


def _print(results: list[Result]) -> None:
    through = [result for result in results if result.ok]
    click.echo(f"{len(through)} of {len(results)} students succeeded")
    for name in STEPS:
        seconds = [result.seconds[name] for result in through if name in result.seconds]
        if seconds:
            middle, most = statistics.median(seconds), max(seconds)
            click.echo(f"  {name:<6} median {middle:.1f} s, slowest {most:.1f} s")
    for result in results:
        if not result.ok:
            click.echo(f"  {result.student} failed at {result.failed_step}: {result.reason}")
