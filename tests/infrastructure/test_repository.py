"""Rules that hold for the repository as a whole."""

import re
import subprocess
from pathlib import Path

import click
import pytest
from tests.support.command_tree import command_of, commands
from tests.support.repository import REPOSITORY, shell_lines


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = [REPOSITORY / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
COMMANDS = [(page, line) for page in DOCUMENTS for line in shell_lines(page)]
IN_SENTENCES = [
    (page, span)
    for page in tracked()
    if page.suffix == ".md" and page.name != "CHANGELOG.md"
    for span in re.findall(r"`(labswarm [a-z][^`|]*)`", page.read_text())
]


def test_no_two_tests_files_have_one_name() -> None:
    """pytest imports them by it."""
    names = [file.name for file in tracked() if file.name.startswith("test_")]
    names = [name for name in names if name.endswith(".py")]
    assert sorted(names) == sorted(set(names))


def test_no_file_has_both_sides_of_a_merge() -> None:
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    texts = [file for file in tracked() if file.suffix in (".md", ".py", ".yaml", ".tf", ".rb")]
    wrong = [
        file
        for file in texts
        if any(line.startswith(marks) for line in file.read_text().splitlines())
    ]
    assert wrong == []


def test_locks_name_versions_and_hashes_but_no_hosts() -> None:
    locks = [file for file in tracked() if file.suffix == ".lock" or "lock.json" in file.name]
    assert len(locks) >= 5
    for lock in locks:
        text = lock.read_text()
        urls = re.findall(r'"resolved"|--index-url|--find-links|@ https?://', text)
        assert urls == [], f"{lock} says where packages come from"


def test_no_file_is_very_large() -> None:
    large = {str(file): file.stat().st_size for file in tracked() if file.stat().st_size > 2**20}
    assert large == {}


@pytest.mark.parametrize(
    ("page", "line"), COMMANDS, ids=[f"{page.name}: {line}" for page, line in COMMANDS]
)
def test_every_command_in_the_docs_exists(page: Path, line: str) -> None:
    words = line.split()
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
        assert words[1] in targets, f"{page}: {line}"
    elif words[0] == "labswarm":
        command, rest = command_of(words)
        command.parse_args(command.context_class(command), rest)
    elif words[0] == "terraform":
        folder = words[1].partition("-chdir=")[2]
        assert folder, f"{page}: {line}"
        assert list((REPOSITORY / folder).glob("*.tf")), f"{page}: {line}"
    elif words[0] == "knife":
        for word in words:
            assert "/" not in word or (REPOSITORY / word).exists(), f"{page}: {line}"
            assert not word.startswith("labswarm_") or (REPOSITORY / "cookbooks" / word).exists()
    elif words[0] == "cp":
        assert (REPOSITORY / words[1]).exists() or words[1].endswith(".tfvars"), f"{page}: {line}"
    else:
        known = {"git", "cd", "aws", "sam", "export", "unset", "sudo", "apt-get", "packer"}
        known |= {"python3", "pip", "chef", "ssh-keygen"}
        assert Path(words[0]).name in known, f"{page}: {line}"


def test_every_command_inside_a_sentence_exists_and_has_its_required_options() -> None:
    assert len(IN_SENTENCES) > 30
    for page, span in IN_SENTENCES:
        command, rest = command_of(span.split())
        options = [option for option in command.params if isinstance(option, click.Option)]
        known = {name for option in options for name in option.opts} | {"--help"}
        assert {word for word in rest if word.startswith("-")} <= known, f"{page}: {span}"
        # A command alone is only named; with options it is a line to type.
        for option in options if rest else []:
            assert not option.required or {*option.opts} & {*rest}, f"{page}: {span}"


def test_every_link_in_the_docs_leads_somewhere() -> None:
    lost = [
        f"{page}: {target}"
        for page in DOCUMENTS
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert lost == []


def test_every_command_is_in_the_reference() -> None:
    reference = (REPOSITORY / "docs/reference/command.md").read_text()
    for path, command in commands():
        for option in command.params:
            if option.opts[0].startswith("-") and path[1:3] != ("lab", "fault"):
                assert option.opts[-1] in reference or option.opts[0] in reference, option.opts
        if path[:2] == ("labswarm", "lab") and len(path) == 3:
            assert f"| `{path[2]}" in reference
        elif len(path) == 2:
            assert f"## `labswarm {path[1]}" in reference


def test_every_folder_of_tests_is_run_by_make() -> None:
    makefile = (REPOSITORY / "Makefile").read_text().split()
    folders = {
        path.relative_to(REPOSITORY).parts[1] for path in REPOSITORY.glob("tests/*/**/test_*.py")
    }
    assert folders
    assert {f"tests/{folder}" for folder in folders} <= set(makefile)
