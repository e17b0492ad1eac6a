"""A service's inputs are in its digest, and files that a recipe no longer writes are removed.

The digest is the cookbook's own library, run by Ruby. How Chef acts on it is in the specs.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

COOKBOOKS = Path(__file__).resolve().parents[2] / "cookbooks"
HUB = COOKBOOKS / "labswarm_hub"
RECIPES = sorted(COOKBOOKS.glob("*/recipes/*.rb"))

needs_ruby = pytest.mark.skipif(not shutil.which("ruby"), reason="needs ruby")


def digest(*paths: Path, words: str = "") -> str:
    done = subprocess.run(
        [
            *("ruby", "-r", str(HUB / "libraries/reads.rb"), "-e"),
            "puts Labswarm::Reads.digest(ARGV.shift.split, ARGV)",
            *("--", words, *map(str, paths)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_ruby
def test_a_file_that_changes_comes_goes_or_is_renamed_changes_the_digest(tmp_path: Path) -> None:
    settings, conf = tmp_path / "hub.json", tmp_path / "conf.d"
    settings.write_text("{}")
    (conf / "deep").mkdir(parents=True)
    (conf / "login.py").write_text("c.x = 1\n")
    seen = [digest(settings, conf)]
    for change in (
        lambda: settings.write_text('{"a": 1}'),
        lambda: (conf / "login.py").write_text("c.x = 2\n"),
        lambda: (conf / "deep/.hidden").write_text("c.y = 1\n"),
        lambda: (conf / "login.py").rename(conf / "10-login.py"),
        lambda: (conf / "deep/.hidden").unlink(),
    ):
        change()
        seen.append(digest(settings, conf))
    assert len(set(seen)) == len(seen)
    assert digest(settings, conf, words="--network labswarm") not in seen
    assert digest(settings, conf) == seen[-1]


@needs_ruby
def test_pythons_caches_are_no_change(tmp_path: Path) -> None:
    (tmp_path / "spawner.py").write_text("x = 1\n")
    before = digest(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/spawner.cpython-313.pyc").write_text("of a run")
    assert digest(tmp_path) == before


@needs_ruby
def test_a_path_that_is_missing_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="No such file"):
        digest(tmp_path / "hub.json")


def test_the_hubs_digest_has_each_file_that_its_settings_name() -> None:
    recipe = (HUB / "recipes/jupyterhub.rb").read_text()
    resource = (HUB / "resources/hub_service.rb").read_text()
    named = set(re.findall(r"'(\w+)' => [\"']/srv/labswarm/", recipe))
    assert named == {"conf_dir", "manager_token_file", "token_file"}
    reads = recipe.partition("labswarm_hub_service")[2]
    read = (
        "::File.join(data, 'conf.d')",
        "node['labswarm_base']['hub_token_file']",
        "hub['labs_token_file']",
        "::File.join(data, 'proxy/token')",
    )
    listed = reads.partition("  reads [")[2]
    assert all(file in listed for file in read)
    # labswarm-document restarts the hub for its settings file.
    assert "    [*sources.keys, *new_resource.reads]\n" in resource
    service = (HUB / "libraries/swarm_service.rb").read_text()
    assert "Labswarm::Reads.digest(words, reads)" in service
    # The read-only mounts are the source; its own files (its database) are no input.
    assert "sources.flat_map" in resource


def conditionals(ruby: str) -> Iterator[tuple[str, str, str]]:
    """Each top-level `if` or `unless` of a recipe: its condition, and its two branches."""
    pattern = (
        r"^(?:if|unless) (.+)\n((?:^(?!else$|end$).*\n)*)(?:^else\n((?:^(?!end$).*\n)*))?^end$"
    )
    for match in re.finditer(pattern, ruby, re.MULTILINE):
        yield match[1], match[2], match[3] or ""


def written(branch: str) -> set[str]:
    """The files and units that a branch has there, by resource and name."""
    kinds = r"^  (file|cookbook_file|template|systemd_unit) (.+?) do\n((?:^(?!  end$).*\n)*)^  end$"
    found = {
        f"{'systemd_unit' if kind == 'systemd_unit' else 'file'} {name}": body
        for kind, name, body in re.findall(kinds, branch, re.MULTILINE)
    }
    return {
        name
        for name, body in found.items()
        # systemd_unit has no action of its own: one that only stops a unit writes nothing.
        if (":create" in body if name.startswith("systemd_unit") else ":delete" not in body)
    }


def removed(branch: str) -> set[str]:
    kinds = r"^  (file|directory|systemd_unit) (.+?) do\n((?:^(?!  end$).*\n)*)^  end$"
    return {
        f"{kind} {name}"
        for kind, name, body in re.findall(kinds, branch, re.MULTILINE)
        if ":delete" in body
    }


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_a_file_written_under_a_condition_is_removed_without_it(recipe: Path) -> None:
    for condition, then, otherwise in conditionals(recipe.read_text()):
        for one, other in ((then, otherwise), (otherwise, then)):
            gone = removed(other)
            folders = {name.removeprefix("directory ").strip("'") for name in gone}
            for name in written(one):
                path = name.partition(" ")[2].strip("'")
                inside = any(path.startswith(f"{folder}/") for folder in folders)
                assert name in gone or inside, f"{recipe}: {name} stays when `{condition}` changes"


def test_the_conditions_are_read() -> None:
    ruby = """
if a
  file '/x' do
    content 'y'
  end
else
  file '/x' do
    action :delete
  end
end
"""
    ((condition, then, otherwise),) = conditionals(ruby)
    assert (condition, written(then), written(otherwise)) == ("a", {"file '/x'"}, set())
    assert removed(otherwise) == {"file '/x'"}
    found = [one for recipe in RECIPES for one in conditionals(recipe.read_text())]
    assert len(found) >= 6


def test_no_recipe_writes_files_of_a_list_and_leaves_those_of_before() -> None:
    # Names from an attribute change: labswarm_drop_ins removes those that are gone.
    for recipe in RECIPES:
        loops = re.findall(
            r"^(\S+)\.each do \|.*\|\n((?:  .*\n|\n)*?)^end$", recipe.read_text(), re.M
        )
        for what, body in loops:
            if not what.startswith("%w"):
                assert "file " not in body, f"{recipe}: {what}"
