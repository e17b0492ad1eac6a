"""Write the table of all scenarios and policies into docs/explanation/policies.md."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench.scenarios.classes import SCENARIOS, Scenario
from bench.scenarios.compare import Outcome, outcomes

from labswarm.planning.words import duration

PAGE = Path(__file__).resolve().parents[2] / "docs/explanation/policies.md"
BEGIN, END = "<!-- BEGIN_SCENARIOS -->", "<!-- END_SCENARIOS -->"


Run = Callable[[Scenario], Iterable[Outcome]]


def tables(run: Run = outcomes) -> str:
    """Return a table for each scenario, as Markdown."""
    return "\n".join(line for scenario in SCENARIOS for line in _table(scenario, run))


def _table(scenario: Scenario, run: Run) -> Iterator[str]:
    yield f"### {scenario.says[0].upper()}{scenario.says[1:]}"
    yield ""
    yield (
        "| policy | wait: half | 95 of 100 | worst | no server | cut off | node hours | USD | "
        "times the optimum |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for found in run(scenario):
        yield _row(found)
    yield ""


def _row(found: Outcome) -> str:
    # Without any server there is no wait.
    waits = (found.p50_s, found.p95_s, found.worst_s) if found.worst_s else ()
    said = " | ".join([duration(wait) for wait in waits] or ["", "", ""])
    return (
        f"| {found.policy} | {said} | {found.missed or ''} | {found.cut or ''} | "
        f"{found.node_hours:.1f} | {found.usd:.2f} | {found.of_optimum:.2f} |"
    )


def with_tables(page: str, run: Run = outcomes) -> str:
    """Return the page with the tables of today's code."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(run)}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
