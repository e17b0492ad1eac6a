"""Spot's side of EC2: it warns of an interruption, and takes the instance back two minutes later.

AWS lets nobody put these events, so a request to the control API causes them (`control_api`).
Differences from AWS: an instance is interrupted whether it was bought as spot or not.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance, StateReason
from moto.ec2.models.spot_requests import SpotRequestBackend
from moto.events.models import events_backends

from labswarm_emulator.emulator import ACCOUNT, REGION, Emulator

NOTICE_S = 120
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html"""
WARNED = "marked-for-termination"
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html"""
REASON = "Server.SpotInstanceTermination"
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html"""


class NotRunning(LookupError):
    """No instance of this id runs."""


class Spot:
    """Events of the emulator's instances without an API call."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._warned: dict[str, datetime] = {}

    def install(self) -> None:
        """Have DescribeSpotInstanceRequests show the instances that are warned."""
        describe = SpotRequestBackend.describe_spot_instance_requests

        def described(
            backend: SpotRequestBackend, filters: Any = None, spot_instance_ids: Any = None
        ) -> Any:
            own = [] if spot_instance_ids else self._requests(filters or {})
            return [*describe(backend, filters, spot_instance_ids), *own]

        SpotRequestBackend.describe_spot_instance_requests = described

    def interrupt(self, instance_id: str) -> None:
        """Warn of the instance's interruption, and kill it after the notice (scaled).

        Raises NotRunning.
        """
        instance = self.running(instance_id)
        self._warned[instance_id] = datetime.now(UTC)
        self._emulator.clock.after(NOTICE_S, lambda: self._take_back(instance_id))
        self._send(
            instance,
            "EC2 Spot Instance Interruption Warning",
            {"instance-id": instance_id, "instance-action": "terminate"},
        )

    def recommend_rebalance(self, instance_id: str) -> None:
        """Send a rebalance recommendation for the instance. Raises NotRunning.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
        """
        instance = self.running(instance_id)
        self._send(instance, "EC2 Instance Rebalance Recommendation", {"instance-id": instance_id})

    def kill(self, instance_id: str) -> None:
        """Take the instance away at once, as EC2 does after its warning. Raises NotRunning."""
        instance = self.running(instance_id)
        self._warned.pop(instance_id, None)
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

    def _requests(self, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        """The requests of the warned instances that the filters let through."""
        found = []
        for instance_id, at in list(self._warned.items()):
            values = {"status-code": WARNED, "instance-id": instance_id, "state": "active"}
            for name in filters.keys() - values.keys():
                raise EC2ClientError("InvalidParameterValue", f"The filter {name!r} is invalid.")
            if all(values[name] in wanted for name, wanted in filters.items()):
                status = {"Code": WARNED, "UpdateTime": at}
                found.append({"InstanceId": instance_id, "State": "active", "Status": status})
        return found

    def _send(self, instance: Instance, kind: str, detail: dict[str, Any]) -> None:
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
