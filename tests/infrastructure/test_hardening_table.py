"""Each fact of a worker's InSpec profile has its twin on a lab's worker, or a reason why not.

The twins are tests/support/hardening.py; test_student_container.py looks at them.
"""

import json
import re
from pathlib import Path

from tests.support.hardening import FACTS, NOT_IN_THE_LAB

COOKBOOKS = Path(__file__).resolve().parents[2] / "cookbooks"


def ruby_of(profile: str) -> str:
    """The controls of a profile, with those that it includes."""
    (folder,) = COOKBOOKS.glob(f"*/compliance/profiles/{profile}/controls")
    text = "".join(file.read_text() for file in sorted(folder.glob("*.rb")))
    included = re.findall(r"^include_controls '(.+)'", text, re.MULTILINE)
    return text + "".join(ruby_of(name) for name in included)


def described(ruby: str) -> list[tuple[str, str]]:
    """The name of the control and the described object of each `describe`."""
    found = []
    for block in re.split(r"^(?=control )", ruby, flags=re.MULTILINE)[1:]:
        (name,) = re.findall(r"^control '(.+)' do$", block, re.MULTILINE)
        found += [(name, words) for words in re.findall(r"^ +describe (.+)$", block, re.MULTILINE)]
    return found


def test_controls_are_read_as_inspec_reads_them() -> None:
    ruby = """
include_controls 'x'

control 'a, b' do
  describe port(22) do
  end
end

control 'c' do
  %w(d e).each do |name|
    describe file(name) do
    end
  end
end
"""
    assert described(ruby) == [("a, b", "port(22) do"), ("c", "file(name) do")]


def test_each_describe_has_one_twin_or_one_reason_and_each_of_these_a_describe() -> None:
    ruby = ruby_of("labswarm-worker")
    inspected = described(ruby)
    assert len(inspected) == len(re.findall(r"\bdescribe\b", ruby)) >= 35
    table = {*((fact.control, fact.describe) for fact in FACTS), *NOT_IN_THE_LAB}
    assert len(table) == len(FACTS) + len(NOT_IN_THE_LAB)
    by_row: dict[tuple[str, str], list[str]] = {row: [] for row in table}
    for control, words in inspected:
        rows = [row for row in table if row[0] == control and words.startswith(row[1])]
        assert len(rows) == 1, f"{control}: {words!r} is in the table {len(rows)} times"
        by_row[rows[0]].append(words)
    assert [row for row, words in by_row.items() if not words] == []
    assert all(NOT_IN_THE_LAB.values())


def test_the_kernels_parameters_are_those_that_the_cookbook_sets() -> None:
    set_by = json.loads((COOKBOOKS / "labswarm_base/files/default/sysctl.json").read_text())
    inspected = re.findall(r"'((?:net|kernel|fs)\.[\w.]+)' => (\d+)", ruby_of("labswarm-node"))
    assert len(inspected) >= 20
    for name, value in inspected:
        assert (name, set_by[name]) == (name, int(value))


def test_the_accounts_settings_are_those_that_the_cookbook_sets() -> None:
    attributes = (COOKBOOKS / "labswarm_base/attributes/default.rb").read_text()
    inspected = re.findall(r"its\('([A-Z_]+)'\) \{ should eq '(\d+)'", ruby_of("labswarm-node"))
    assert len(inspected) >= 5
    for name, value in inspected:
        assert re.search(rf"^  '{name}' => '?{value}'?,$", attributes, re.MULTILINE), name
