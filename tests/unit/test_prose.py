"""The measurement of the repository's prose: its texts, and the words that it counts."""

from pathlib import Path

import pytest
from tests.support.prose import Counts, measure, passages


def counted(folder: Path, name: str, text: str) -> Counts:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return measure(passages(file))


@pytest.mark.parametrize(
    "sentence",
    [
        "What cannot be delivered is kept.",
        "It removes what is left.",
        "A list of what was found.",
        "It keeps\nwhat it has.",
        "The rest: whatever is open.",
        "Who must not wait sets a headroom.",
    ],
)
def test_a_clause_that_stands_for_a_noun_is_counted(tmp_path: Path, sentence: str) -> None:
    text = sentence.replace("keeps\nwhat", "keeps that\nwhat")
    assert len(counted(tmp_path, "page.md", text).free_relatives) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "What do you see?",
        "Students, who wait, see their place.",
        "Run `what now` first.",
        "You know what size it has.",
    ],
)
def test_a_question_a_relative_clause_and_code_are_not_counted(
    tmp_path: Path, sentence: str
) -> None:
    assert counted(tmp_path, "page.md", sentence).free_relatives == []


@pytest.mark.parametrize(
    ("sentence", "word"),
    [
        ("It starts anew.", "anew"),
        ("Beside the hub.", "beside"),
        ("It mended both.", "mend"),
        ("Two alarms rang.", "ring"),
        ("Whoever is there moves.", "whoever"),
        ("The hub tells it.", "tell"),
        ("They were told.", "tell"),
        ("A way of telling.", "tell"),
        ("It is to be kept.", "is to be"),
        ("Both are not to be kept.", "is to be"),
        ("It shall stay.", "shall"),
        ("It is thereby gone.", "thereby"),
        ("It costs $73 a month.", "per"),
        ("Nodes, one of which is down.", "of which"),
        ("The node on whose seats it runs.", "of which"),
        ("The student to whom it belongs.", "of which"),
    ],
)
def test_a_banned_word_is_found_in_each_of_its_forms(
    tmp_path: Path, sentence: str, word: str
) -> None:
    assert [found.word for found in counted(tmp_path, "page.md", sentence).banned] == [word]


@pytest.mark.parametrize(
    "word", ["besides", "recommended", "string", "meaning", "intelligible", "marshalled"]
)
def test_a_word_that_only_contains_a_banned_one_is_allowed(tmp_path: Path, word: str) -> None:
    assert counted(tmp_path, "page.md", f"It is {word}.").banned == []


def test_code_and_link_targets_of_a_page_are_not_prose(tmp_path: Path) -> None:
    page = "Text [name](anew/beside.md) and `mend`.\n\n```sh\nring anew\n```\n"
    counts = counted(tmp_path, "page.md", page)
    assert counts.banned == []
    assert counts.words < 10


def test_docstrings_comments_and_messages_of_product_code_are_prose(tmp_path: Path) -> None:
    code = (
        '"""Begin anew."""\n'
        "# mend it\n"
        'KEY = "ring"\n'
        "def f(name: str) -> None:\n"
        '    raise ValueError(f"put {name} beside the other one")\n'
    )
    found = counted(tmp_path, "product.py", code).banned
    assert sorted(finding.word for finding in found) == ["anew", "beside", "mend"]


def test_of_a_test_the_name_is_prose_and_its_strings_are_data(tmp_path: Path) -> None:
    code = 'def test_it_begins_anew() -> None:\n    assert "mend what is broken, and ring" in ""\n'
    found = counted(tmp_path, "tests/test_it.py", code).banned
    assert [finding.word for finding in found] == ["anew"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "key: 1  # mend it\n"),
        ("a.asl.yaml", "Comment: Mend the node\n"),
        ("a.tf", 'description = "Mend the node"\n'),
        ("a.rb", 'x = "#{mend}"\n# mend it\n'),
        ("a.sh", "# mend it\n"),
        ("a_spec.rb", "  it 'can mend it' do\n"),
        ("a.ts", "/** Mend\n * it. */\nconst mend = 1;\n"),
        ("a.ts", "const x = 1; // mend it\n"),
        ("a.test.ts", "test('can mend it', () => {\n"),
    ],
)
def test_comments_descriptions_and_test_names_of_other_files_are_prose(
    tmp_path: Path, name: str, text: str
) -> None:
    assert [found.word for found in counted(tmp_path, name, text).banned] == ["mend"]


def test_a_finding_names_its_file_and_line(tmp_path: Path) -> None:
    (found,) = counted(tmp_path, "page.md", "One.\n\nTwo.\n\nStart anew.\n").banned
    assert (found.file.name, found.line) == ("page.md", 5)
