"""Links to an instructor's files in a Git repository."""

from urllib.parse import parse_qs, urlsplit

import pytest

from labswarm.errors import BadInput
from labswarm_labs.git_links import git_link

HUB = "https://hub.example.org/hub/"
REPOSITORY = "https://github.com/physics/labs"


def test_a_link_pulls_the_branch_and_opens_the_file() -> None:
    link = git_link(
        HUB, f"{REPOSITORY}.git", "winter/2026", "week 1/exercise&1.ipynb".replace(" ", "_")
    )

    assert link.startswith(f"{HUB}user-redirect/git-pull?")
    assert parse_qs(urlsplit(link).query, strict_parsing=True) == {
        "repo": [f"{REPOSITORY}.git"],
        "branch": ["winter/2026"],
        "urlpath": ["lab/tree/labs/week_1/exercise&1.ipynb"],
    }


def test_without_a_file_it_opens_the_folder() -> None:
    link = git_link(HUB, REPOSITORY, "main")
    assert parse_qs(urlsplit(link).query)["urlpath"] == ["lab/tree/labs"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"repository": "git@github.com:physics/labs"}, "repository: is 'git@github.com"),
        ({"repository": "http://github.com/physics/labs"}, "repository: is 'http:"),
        ({"repository": "javascript:alert(1)"}, "repository: is 'javascript"),
        ({"repository": "https://github.com"}, "repository: is 'https://github.com'"),
        ({"repository": "https://[x/labs"}, "repository: is 'https://[x/labs'"),
        ({"repository": f"{REPOSITORY}?x=1"}, "repository: is"),
        (
            {"repository": "https://me:secret@github.com/physics/labs"},
            "repository: has a name or a",
        ),
        ({"branch": ""}, "branch: is empty; write one like main"),
        ({"branch": "--upload-pack=x"}, "branch: is '--upload-pack=x'; write one like main"),
        ({"file": "../../etc/passwd"}, "file: is '../../etc/passwd'; write one like week-1/"),
        ({"file": "/etc/passwd"}, "file: is '/etc/passwd'"),
    ],
)
def test_a_field_that_makes_no_link_is_refused(changed: dict[str, str], sentence: str) -> None:
    fields = {"repository": REPOSITORY, "branch": "main", "file": "", **changed}
    with pytest.raises(BadInput) as refused:
        git_link(HUB, **fields)
    assert str(refused.value).startswith(sentence)
    assert "secret" not in str(refused.value)
