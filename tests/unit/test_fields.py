"""The reader of JSON fields: a wrong value is refused by its path, its value and the remedy."""

import re
from typing import Any

import pytest

from labswarm.errors import BadInput
from labswarm.fields import Fields

WORD = re.compile(r"[a-z]+")
KNOWN = ("one", "many")


def fields(**values: Any) -> Fields:
    return Fields(values, KNOWN, "outer.")


@pytest.mark.parametrize("value", [7, None, ["a"], "A", "", "a b"])
def test_another_value_than_a_text_of_the_pattern_is_refused(value: object) -> None:
    assert fields(one="a").text("one", WORD) == "a"
    with pytest.raises(BadInput, match=re.escape(repr(value)) if value is not None else "one"):
        fields(one=value).text("one", WORD)


@pytest.mark.parametrize("value", ["a", {"a": 1}, [7], ["a", "B"], ["a", None], ["a", ""]])
def test_a_list_with_one_wrong_text_is_refused(value: object) -> None:
    assert fields(many=["a", "b"]).texts("many", WORD) == ("a", "b")
    with pytest.raises(BadInput, match=r"outer\.many"):
        fields(many=value).texts("many", WORD)


def test_a_list_may_be_empty_unless_it_has_a_least_length() -> None:
    assert fields(many=[]).texts("many") == ()
    with pytest.raises(BadInput, match="that is not empty"):
        fields(many=[]).texts("many", least=1)


def test_an_unknown_field_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(BadInput, match="did you mean 'many'"):
        fields(mny=[])
