"""The image's copy of the cookbooks and the Chef Server's: a node says when they differ.

The comparison is the cookbook's own library, run by Ruby.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BASE = REPOSITORY / "cookbooks/labswarm_base"

needs_ruby = pytest.mark.skipif(not shutil.which("ruby"), reason="needs ruby")


def differing(run: Path, image: Path) -> list[str]:
    code = "require 'json'; puts JSON.generate(Labswarm::Copies.differing(*ARGV))"
    done = subprocess.run(
        ["ruby", "-r", BASE / "libraries/copies.rb", "-e", code, run, image],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files: list[str] = json.loads(done.stdout)
    return files


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    """The repository's cookbooks as the Chef Server gives a worker, and as the image has them."""
    run, image = tmp_path / "run", tmp_path / "image"
    shutil.copytree(REPOSITORY / "cookbooks", image)
    ignored = shutil.ignore_patterns("spec", "test", "kitchen.yml", "Policyfile*")
    for name in ("labswarm_base", "labswarm_worker"):
        shutil.copytree(REPOSITORY / "cookbooks" / name, run / name, ignore=ignored)
    return run, image


@needs_ruby
def test_two_copies_of_one_commit_do_not_differ(copies: tuple[Path, Path]) -> None:
    assert differing(*copies) == []


@needs_ruby
def test_each_file_that_differs_or_is_missing_is_named(copies: tuple[Path, Path]) -> None:
    run, image = copies
    (run / "labswarm_base/recipes/time.rb").write_text("# another\n")
    (image / "labswarm_worker/files/default/ipython_config.py").unlink()
    (run / "labswarm_worker/resources/student_firewall.rb").unlink()
    (run / "labswarm_base/README.md").write_text("said otherwise\n")
    assert differing(run, image) == [
        "labswarm_base/recipes/time.rb",
        "labswarm_worker/files/default/ipython_config.py",
        "labswarm_worker/resources/student_firewall.rb",
    ]


@needs_ruby
def test_without_a_copy_in_the_image_nothing_differs(copies: tuple[Path, Path]) -> None:
    run, _ = copies
    assert differing(run, run / "nowhere") == []


def test_each_converge_looks_and_the_profile_too() -> None:
    assert "include_recipe 'labswarm_base::copies'" in (BASE / "recipes/default.rb").read_text()
    recipe = (BASE / "recipes/copies.rb").read_text()
    installed = (REPOSITORY / "cookbooks/install.sh").read_text()
    assert "Labswarm::Copies.differing(::File.expand_path('../..', __dir__)," in recipe
    assert "'/opt/labswarm/src/cookbooks'" in recipe
    assert re.search(r"^for part in cookbooks .*; do\n.*/opt/labswarm/src/", installed, re.M)
    controls = (BASE / "compliance/profiles/labswarm-node/controls/labswarm.rb").read_text()
    assert "file('/etc/labswarm/cookbooks-differ')" in controls


def test_a_worker_converges_by_the_policy_that_is_pushed() -> None:
    attributes = (BASE / "attributes/default.rb").read_text()
    (named,) = re.findall(r"\['policy'\] = '(.+)'", attributes)
    policy = (REPOSITORY / "cookbooks/labswarm_worker/Policyfile.rb").read_text()
    assert f"\nname '{named}'\n" in policy
    resource = (BASE / "resources/node_config.rb").read_text()
    assert "'policy_group' => new_resource.policy && ground['cluster']" in resource
    page = (REPOSITORY / "docs/how-to/deploy.md").read_text()
    assert "\nchef push physics\n" in page
    assert "knife cookbook upload" not in page, "what is uploaded so changes every cluster"
