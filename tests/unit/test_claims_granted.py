"""The rule that grants a claim: one lifecycle action is worked on once."""

from dataclasses import replace

import pytest
from tests.support.ledger_items import CLAIM, NOW

from labswarm.lifecycle.ledger import Claim, granted

ENDED = replace(CLAIM, tokens={"first": "launch", "second": "launch"}).ended(
    "joined", "CONTINUE", NOW + 5
)


def after(*tokens: str) -> Claim:
    """The ended claim after another execution asked with these tokens."""
    wanted = replace(CLAIM, owner="another", tokens=dict.fromkeys(tokens, "launch"))
    return granted(ENDED, wanted, NOW + 60, lambda owner: False)


@pytest.mark.parametrize("tokens", [("first",), ("second",), ("first", "second")])
def test_a_duplicate_of_an_event_opens_no_claim_that_has_ended(tokens: tuple[str, ...]) -> None:
    assert after(*tokens) == ENDED


@pytest.mark.parametrize("tokens", [("third",), ("first", "third")])
def test_a_new_lifecycle_action_opens_it_again(tokens: tuple[str, ...]) -> None:
    claim = after(*tokens)

    assert (claim.owner, claim.closed) == ("another", False)
    assert claim.version == ENDED.version
