"""An evacuation does not stand in line behind nodes that leave, on an agent that runs five at once.

https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support import ledger_table
from tests.support.running_emulator import RunningEmulator, eventually
from tests.support.ssm_commands import ping, start_instance
from tests.twins.tasks import TwinTasks

from labswarm.aws.agent import SsmAgent
from labswarm.aws.dynamodb.hub_slots import DynamoHubSlots
from labswarm.aws.dynamodb.ledger import DynamoLedger
from labswarm.commands.hub_slots import ORDINARY
from labswarm.commands.steps import Commands, Step
from labswarm.errors import Throttled
from labswarm.lifecycle.ledger import LEASE_S, Claim, Phase
from labswarm_node.clock import WallClock, backoff

pytestmark = pytest.mark.emulator

LEAVING = [f"i-{number:017x}" for number in range(20)]
INTERRUPTED = "i-0fffffffffffffff0"
OWNER = "arn:aws:states:eu-west-1:123456789012:execution:labswarm-node-terminate:one"


@dataclass
class Hub:
    """A hub whose ordinary commands run until a test lets them end."""

    emulator: RunningEmulator
    instance_id: str
    table: str
    ordinary: str
    urgent: str

    def run(self, document: str, subject: str) -> dict[str, Any]:
        clients = {service: self.emulator.client(service) for service in ("ssm", "dynamodb")}
        commands = Commands(
            SsmAgent(clients["ssm"]),
            DynamoLedger(clients["dynamodb"], self.table),
            DynamoHubSlots(clients["dynamodb"], self.table),
            TwinTasks(),
            WallClock(),
        )
        step = Step(subject, "terminate", OWNER, document, self.instance_id, {})
        for _ in backoff(WallClock(), 60):
            with suppress(Throttled):
                if answer := commands.begin(step, None):
                    return answer
        raise AssertionError(f"{document} has not ended after 60 s")

    def sent(self, document: str) -> int:
        return len(self.emulator.recorded("ssm", document=document, what="sent"))

    def go_on(self) -> None:
        folder: Path = self.emulator.settings.state_dir / "machines" / self.instance_id
        (folder / "go").touch()


def document(emulator: RunningEmulator, name: str, script: str) -> str:
    content = {
        "schemaVersion": "2.2",
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": "run",
                "inputs": {"timeoutSeconds": "1200", "runCommand": [script]},
            }
        ],
    }
    emulator.client("ssm").create_document(
        Name=name, DocumentType="Command", Content=json.dumps(content)
    )
    return name


@pytest.fixture
def hub(emulator: RunningEmulator, name: str) -> Iterator[Hub]:
    dynamodb = emulator.client("dynamodb")
    ledger_table.create(emulator, name)
    ledger, now = DynamoLedger(dynamodb, name), int(WallClock().now())
    for subject in (*LEAVING, INTERRUPTED):
        ledger.write_claim(
            Claim(
                instance_id=subject,
                transition="terminate",
                owner=OWNER,
                lease_until=now + LEASE_S,
                tokens={},
                hook="",
                asg="labswarm-lab-workers",
                cluster="lab",
                opened_at=now,
                phases=(Phase("claimed", now),),
                urgent=subject == INTERRUPTED,
            )
        )
    instance_id = start_instance(emulator)
    eventually(lambda: ping(emulator, instance_id) == "Online")
    until_notified = "until [ -e go ]; do sleep 0.05; done; echo '{\"servers\": []}'"
    yield Hub(
        emulator,
        instance_id,
        name,
        ordinary=document(emulator, f"labswarm-{name}-pause", until_notified),
        urgent=document(emulator, f"labswarm-{name}-evacuate", "echo '{\"moving\": []}'"),
    )
    emulator.client("ec2").terminate_instances(InstanceIds=[instance_id])


def test_twenty_that_leave_at_once_do_not_delay_an_evacuation(hub: Hub) -> None:
    with ThreadPoolExecutor(len(LEAVING)) as pool:
        leaving = [pool.submit(hub.run, hub.ordinary, subject) for subject in LEAVING]
        try:
            eventually(lambda: hub.sent(hub.ordinary) == ORDINARY)

            # It is answered while all that was sent before it is still under way.
            assert hub.run(hub.urgent, INTERRUPTED) == {"moving": [], "urgent": True}

            assert [future.done() for future in leaving] == [False] * len(LEAVING)
            assert hub.sent(hub.ordinary) == ORDINARY
        finally:
            hub.go_on()
        assert [future.result(timeout=60) for future in leaving] == [
            {"servers": [], "urgent": False}
        ] * len(LEAVING)
    assert hub.sent(hub.ordinary) == len(LEAVING)
