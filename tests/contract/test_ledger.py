"""The domain relies on this in a ledger; the table and its twin in memory both pass."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws
from tests.support.ledger_items import CLAIM, INSTANCE, NOW, table
from tests.support.stale_reads import StaleReads
from tests.twins.ledger import MemoryLedger

from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.errors import Transient
from labswarm.lifecycle.ledger import LEASE_S, Claim, Command, Ledger, change, granted

SECOND = replace(CLAIM, owner="second", tokens={"token-2": "launch"}, lease_until=NOW + 2 * LEASE_S)


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        table(client)
        yield DynamoLedger(cast("Any", StaleReads(client)), "labswarm-ledger")


def asked(ledger: Ledger, wanted: Claim, now: int = NOW, running: tuple[str, ...] = ()) -> Claim:
    return change(
        ledger,
        wanted.instance_id,
        wanted.transition,
        lambda existing: granted(existing, wanted, now, running.__contains__),
    )


def kept(ledger: Ledger) -> Claim:
    claim = ledger.read_claim(INSTANCE, "launch")
    assert claim is not None
    return claim


def test_a_claim_that_was_never_made_is_absent(ledger: Ledger) -> None:
    assert ledger.read_claim(INSTANCE, "launch") is None


def test_a_claim_comes_back_as_it_was_written(ledger: Ledger) -> None:
    full = CLAIM.with_command("node-join", Command(2, NOW, "id", answered=True)).ended(
        "joined", "CONTINUE", NOW + 5
    )
    full = replace(full, beats_until=NOW + 1800)

    assert ledger.write_claim(full)

    assert kept(ledger) == replace(full, version=1)


def test_a_claim_of_the_version_before_has_no_heartbeats() -> None:
    with mock_aws():
        client = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        table(client)
        ledger = DynamoLedger(client, "labswarm-ledger")
        ledger.write_claim(CLAIM)
        client.update_item(
            TableName="labswarm-ledger",
            Key={"instance_id": {"S": INSTANCE}, "transition": {"S": "launch"}},
            UpdateExpression="REMOVE beats_until",
        )

        assert kept(ledger) == replace(CLAIM, version=1)


def test_transitions_of_an_instance_are_apart(ledger: Ledger) -> None:
    ledger.write_claim(CLAIM)

    assert ledger.read_claim(INSTANCE, "terminate") is None


def test_a_write_over_a_newer_claim_is_refused(ledger: Ledger) -> None:
    ledger.write_claim(CLAIM)
    read = kept(ledger)
    assert ledger.write_claim(read.with_tokens({"token-3": "launch"}))

    assert not ledger.write_claim(read.with_tokens({"token-4": "launch"}))
    assert not ledger.write_claim(SECOND)
    assert set(kept(ledger).tokens) == {"token-1", "token-3"}


def test_the_first_to_ask_is_granted_an_absent_claim(ledger: Ledger) -> None:
    assert asked(ledger, CLAIM).owner == "first"


def test_the_owner_that_asks_again_holds_it_and_its_lease_is_renewed(ledger: Ledger) -> None:
    asked(ledger, CLAIM)

    again = asked(ledger, replace(CLAIM, lease_until=NOW + 3 * LEASE_S))

    assert (again.owner, kept(ledger).lease_until) == ("first", NOW + 3 * LEASE_S)


def test_the_loser_leaves_its_token_with_the_owner(ledger: Ledger) -> None:
    asked(ledger, CLAIM)

    assert asked(ledger, SECOND, running=("first",)).owner == "first"
    assert kept(ledger).tokens == {"token-1": "launch", "token-2": "launch"}


def test_an_expired_lease_is_taken_over_only_when_its_owner_runs_no_more(ledger: Ledger) -> None:
    asked(ledger, CLAIM.with_command("node-join", Command(1, NOW, "id")))
    late = NOW + LEASE_S

    assert asked(ledger, SECOND, late, running=("first",)).owner == "first"
    assert asked(ledger, SECOND, late - 1).owner == "first"
    assert asked(ledger, SECOND, late).owner == "second"
    assert set(kept(ledger).tokens) == {"token-1", "token-2"}
    assert kept(ledger).commands["node-join"].command_id == "id"


@pytest.mark.parametrize("phase", ["joined", "pooled", "abandoned", "removed"])
def test_a_final_phase_is_not_left_by_a_duplicate(ledger: Ledger, phase: str) -> None:
    ledger.write_claim(CLAIM.ended(phase, "CONTINUE", NOW + 5))

    after = asked(ledger, replace(CLAIM, owner="second"))

    assert (after.owner, after.phase, after.closed) == ("first", phase, True)


def test_a_new_lifecycle_action_after_a_final_phase_is_a_new_claim(ledger: Ledger) -> None:
    ledger.write_claim(CLAIM.ended("joined", "CONTINUE", NOW + 5))

    after = asked(ledger, SECOND)

    assert (after.owner, after.phase, after.closed) == ("second", "claimed", False)
    assert kept(ledger).tokens == {"token-2": "launch"}


def test_a_tombstone_is_laid_once_and_for_all(ledger: Ledger) -> None:
    assert not ledger.is_terminating(INSTANCE)

    ledger.mark_terminating(INSTANCE, NOW)
    ledger.mark_terminating(INSTANCE, NOW + 1)

    assert ledger.is_terminating(INSTANCE)
    assert not ledger.is_terminating("i-00000000")
    assert ledger.read_claim(INSTANCE, "launch") is None


def test_a_change_is_made_on_a_claim_written_in_between(ledger: Ledger) -> None:
    ledger.write_claim(CLAIM)
    rivals = iter(["rival"])

    def rule(existing: Claim | None) -> Claim:
        assert existing is not None
        for rival in rivals:
            ledger.write_claim(existing.with_tokens({rival: "launch"}))
        return existing.with_tokens({"mine": "launch"})

    change(ledger, INSTANCE, "launch", rule)

    assert set(kept(ledger).tokens) == {"token-1", "rival", "mine"}


def test_a_writer_that_never_gets_its_turn_raises_a_transient_error(ledger: Ledger) -> None:
    ledger.write_claim(CLAIM)

    def rule(existing: Claim | None) -> Claim:
        assert existing is not None
        ledger.write_claim(existing.with_tokens({f"rival-{existing.version}": "launch"}))
        return existing.with_tokens({"mine": "launch"})

    with pytest.raises(Transient):
        change(ledger, INSTANCE, "launch", rule)


def test_the_claims_of_many_instances_are_listed(ledger: Ledger) -> None:
    many = [f"i-{number:017x}" for number in range(120)]
    launches = [replace(CLAIM, instance_id=instance) for instance in many]
    leaving = replace(CLAIM, instance_id=many[7], transition="terminate")
    for claim in (*launches, leaving, replace(CLAIM, instance_id="i-0fffffffffffffff0")):
        ledger.write_claim(claim)
    ledger.mark_terminating(many[3], NOW)

    found = ledger.about([*many, "i-0eeeeeeeeeeeeeee0"])

    found_ids = sorted((claim.instance_id, claim.transition) for claim in found)
    assert found_ids == sorted([*((i, "launch") for i in many), (many[7], "terminate")])
    assert {claim.owner for claim in found} == {"first"}
    assert list(ledger.about([])) == []
