"""Spot's side of EC2: it warns of an interruption, and takes the instance back two minutes later.

AWS lets nobody put these events, so a request to the control API causes them (`control_api`).
Differences from AWS: an instance is interrupted whether it was bought as spot or not.
"""

import json
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, StateReason
from moto.events.models import events_backends

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

NOTICE_S = 120
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html"""
REASON = "Server.SpotInstanceTermination"
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html"""


class NotRunning(LookupError):
    """No instance of this id runs."""


class Spot:
    """Events of the emulator's instances without an API call."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def interrupt(self, instance_id: str) -> None:
        """Warn of the instance's interruption, and kill it after the notice (scaled).

        Raises NotRunning.
        """
        instance = self.running(instance_id)
        self._emulator.clock.after(NOTICE_S, lambda: self._take_back(instance_id))
        self._tell(
            instance,
            "EC2 Spot Instance Interruption Warning",
            {"instance-id": instance_id, "instance-action": "terminate"},
        )

    def recommend_rebalance(self, instance_id: str) -> None:
        """Send a rebalance recommendation for the instance. Raises NotRunning.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
        """
        instance = self.running(instance_id)
        self._tell(instance, "EC2 Instance Rebalance Recommendation", {"instance-id": instance_id})

    def kill(self, instance_id: str) -> None:
        """Take the instance away at once, as EC2 does after its warning. Raises NotRunning."""
        instance = self.running(instance_id)
        self._emulator.record.write("spot", "killed", instance=instance_id)
        instance.terminate()
        instance.state_reason = StateReason(f"{REASON}: Spot instance termination", REASON)
        # Its group finds out by its health check.
        autoscaling_backends[ACCOUNT][REGION].notify_terminate_instances([instance_id])

    def _take_back(self, instance_id: str) -> None:
        try:
            self.kill(instance_id)
        except NotRunning:
            self._emulator.record.write("spot", "gone before its time", instance=instance_id)

    def running(self, instance_id: str) -> Instance:
        """An instance that boots or runs. Raises NotRunning."""
        for instance in ec2_backends[ACCOUNT][REGION].all_instances():
            if instance.id == instance_id and instance.state in ("pending", "running"):
                return instance
        raise NotRunning(f"no instance {instance_id} runs")

    def _tell(self, instance: Instance, kind: str, detail: dict[str, Any]) -> None:
        self._emulator.record.write("spot", kind, instance=instance.id)
        # The ARN is as EC2 writes it here: with the zone, and without the account.
        zone = instance.placement.zone
        events_backends[ACCOUNT][REGION].put_events(
            [
                {
                    "Source": "aws.ec2",
                    "DetailType": kind,
                    "Detail": json.dumps(detail),
                    "Resources": [f"arn:aws:ec2:{zone}:instance/{instance.id}"],
                }
            ]
        )
