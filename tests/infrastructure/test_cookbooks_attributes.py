"""An attribute that is spelled wrong stops the converge, with the nearest known name.

The check is the cookbook's own library, run by Ruby on the cookbooks' own attributes.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
COOKBOOKS = REPOSITORY / "cookbooks"
HUB, WORKER = ("labswarm_base", "labswarm_hub"), ("labswarm_base", "labswarm_worker")
CODE = """
require 'json'

def default
  $default ||= Hash.new { |hash, key| hash[key] = Hash.new(&hash.default_proc) }
end

def merged(one, other)
  one.merge(other) { |_, a, b| a.is_a?(Hash) && b.is_a?(Hash) ? merged(a, b) : b }
end

given, *cookbooks = ARGV
cookbooks.each do |cookbook|
  Dir["#{cookbook}/attributes/*.rb"].sort.each { |file| eval(File.read(file), binding, file) }
end
known = JSON.parse(JSON.generate(default))
begin
  Labswarm::Attributes.check(known, merged(known, JSON.parse(given)))
rescue ArgumentError => e
  puts e.message
end
"""

pytestmark = pytest.mark.skipif(not shutil.which("ruby"), reason="needs ruby")


def refusal(given: dict[str, Any], cookbooks: tuple[str, ...] = HUB) -> str:
    """The sentence with which a node with these attributes is refused; empty for none."""
    library = COOKBOOKS / "labswarm_base/libraries/attributes.rb"
    folders = [COOKBOOKS / name for name in cookbooks]
    done = subprocess.run(
        ["ruby", "-r", library, "-e", CODE, json.dumps(given), *folders],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("cookbooks", [HUB, WORKER], ids=["hub", "worker"])
def test_a_node_without_attributes_of_its_own_converges(cookbooks: tuple[str, ...]) -> None:
    assert refusal({}, cookbooks) == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"labswarm_hub": {"idle_timout_s": 600}},
            "the attribute labswarm_hub.idle_timout_s is not known; did you mean 'idle_timeout_s'?",
        ),
        (
            {"labswarm_hub": {"limit": {"memory_facter": 3}}},
            "the attribute labswarm_hub.limit.memory_facter is not known; "
            "did you mean 'memory_factor'?",
        ),
        (
            {"labswarm_base": {"journal": {"maximum": "2G"}}},
            "the attribute labswarm_base.journal.maximum is not known; "
            "it is one of max_age, max_use",
        ),
        (
            {"labswarm_hubs": {"admins": ["ada"]}},
            "the attribute labswarm_hubs is not known; did you mean 'labswarm_hub'?",
        ),
    ],
)
def test_an_attribute_that_is_spelled_wrong_is_named_with_the_nearest(
    given: dict[str, Any], sentence: str
) -> None:
    assert refusal(given) == sentence


@pytest.mark.parametrize(
    "given",
    [
        {"labswarm_hub": {"admins": ["ada"], "limit": {"pids": 100}}},
        # A person names these.
        {"labswarm_hub": {"profiles": {"large": {"memory_factor": 4}}, "conf": {"a": 1}}},
        {"labswarm_hub": {"environment": {"TZ": "Europe/Berlin"}}},
        {"labswarm_worker": {"of": "another cookbook, which this node has not"}},
        {"apt": {"confd": {}}},
    ],
)
def test_known_attributes_and_names_of_a_persons_own_are_taken(given: dict[str, Any]) -> None:
    assert refusal(given) == ""


@pytest.mark.parametrize("kitchen", sorted(COOKBOOKS.glob("*/kitchen.yml")), ids=str)
def test_the_attributes_with_which_the_cookbooks_are_tried_are_known(kitchen: Path) -> None:
    text = re.sub(r"<%.*?%>", "x", kitchen.read_text())
    for suite in yaml.safe_load(text)["suites"]:
        cookbooks = HUB if "hub" in kitchen.parts[-2] else WORKER
        assert refusal(suite.get("attributes") or {}, cookbooks) == ""


def test_the_check_comes_before_anything_is_changed() -> None:
    firsts = {
        cookbook: next(line for line in recipe.splitlines() if line and not line.startswith("#"))
        for cookbook in dict.fromkeys(HUB + WORKER)
        for recipe in [(COOKBOOKS / cookbook / "recipes/default.rb").read_text()]
    }

    assert firsts.pop("labswarm_base") == "Labswarm::Attributes.check(node.default, node)"
    assert set(firsts.values()) == {"include_recipe 'labswarm_base'"}
