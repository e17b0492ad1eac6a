"""The timelines of nodes are the phases of the ledger's claims, without their tokens."""

from dataclasses import replace
from typing import Any

import boto3
from moto import mock_aws
from tests.support.ledger_items import CLAIM, INSTANCE, NOW, table

from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.aws.dynamodb.timelines import DynamoTimelines
from labswarm.lifecycle.ledger import Phase
from labswarm.lifecycle.timelines import Timeline


def test_a_timeline_has_the_phases_of_a_claim_of_its_own_cluster() -> None:
    with mock_aws():
        client: Any = boto3.client(
            "dynamodb", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        table(client)
        ledger = DynamoLedger(client, "labswarm-ledger")
        joined = CLAIM.entered("joining", NOW + 20).ended("joined", "CONTINUE", NOW + 30)
        ledger.write_claim(joined)
        ledger.write_claim(replace(CLAIM, transition="terminate", opened_at=NOW + 100))
        ledger.mark_terminating(INSTANCE, NOW + 100)
        timelines = DynamoTimelines(client, "labswarm-ledger")

        ends, launch = timelines.read_timelines(CLAIM.cluster, [INSTANCE, "i-0"])

        assert (ends.transition, ends.result) == ("terminate", None)
        assert launch == Timeline(
            INSTANCE,
            "launch",
            CLAIM.opened_at,
            (*CLAIM.phases, Phase("joining", NOW + 20), Phase("joined", NOW + 30)),
            "CONTINUE",
        )
        assert timelines.read_timelines("another", [INSTANCE]) == []
        assert timelines.read_timelines(CLAIM.cluster, []) == []
