"""The facts of an account and one of its clusters that the doctor's rules need."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from labswarm.cluster import Cluster
from labswarm.groups import Mix

CALLS_PER_NODE = {"SendCommand": 5, "GetCommandInvocation": 5, "DescribeInstanceInformation": 4}
"""The calls to Systems Manager until a node is open, by operation."""


class Quota(Enum):
    """A quota of AWS: its service code, its quota code and its name.

    https://docs.aws.amazon.com/general/latest/gr/ec2-service.html
    https://docs.aws.amazon.com/general/latest/gr/lambda-service.html
    """

    CONCURRENCY = ("lambda", "L-B99A9384", "Lambda concurrent executions")
    ON_DEMAND = ("ec2", "L-1216C47A", "vCPUs of standard on-demand instances")
    SPOT = ("ec2", "L-34B43A08", "vCPUs of standard spot instances")
    ADDRESSES = ("ec2", "L-0263D0A3", "Elastic IP addresses")

    def __init__(self, service: str, code: str, label: str) -> None:
        self.service = service
        self.code = code
        self.label = label


@dataclass(frozen=True)
class Limit:
    """The value of a quota, and how much of it is in use, except by the cluster's own group."""

    quota: Quota
    value: int
    used: int

    @property
    def free(self) -> int:
        return max(0, self.value - self.used)


@dataclass(frozen=True)
class Rate:
    """A quota on the calls per second of an operation of Systems Manager."""

    operation: str
    per_s: float
    code: str
    adjustable: bool


@dataclass(frozen=True)
class Kind:
    """An instance type of the group, with its memory in bytes."""

    name: str
    vcpus: int
    memory_bytes: int


@dataclass(frozen=True)
class WorkerGroup:
    """The cluster's Auto Scaling group.

    `most` is the group's maximum size. Of its instances, `base` are on demand, and so are
    `percent` of the others, rounded up:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html
    """

    name: str
    most: int
    base: int
    percent: int
    kinds: Sequence[Kind]

    def on_demand(self, nodes: int) -> int:
        """How many of this many nodes are on demand."""
        return Mix(self.base, self.percent).on_demand(nodes)


@dataclass(frozen=True)
class Agent:
    """An instance's SSM agent; `version` is empty if it has never reported one."""

    instance_id: str
    version: str
    online: bool


@dataclass(frozen=True)
class Alarm:
    """An alarm of the app, the topics that it notifies, and whether it is on."""

    name: str
    topics: Sequence[str]
    on: bool = False


@dataclass(frozen=True)
class Facts:
    """All facts of one account and cluster.

    `problem` is the reason why the description could not be read, empty if it could; `missing` are
    parameters that the description names and that do not exist. `subscribers` counts the confirmed
    subscriptions of each topic. `rates` are those that AWS lists; it does not list all.
    """

    name: str
    cluster: Cluster | None
    problem: str
    group: WorkerGroup | None
    limits: Sequence[Limit]
    agents: Sequence[Agent]
    missing: Sequence[str]
    alarms: Sequence[Alarm]
    subscribers: dict[str, int]
    rates: Sequence[Rate] = ()

    def limit(self, quota: Quota) -> Limit | None:
        """Return the limit of a quota; None if AWS gave no value."""
        return next((limit for limit in self.limits if limit.quota is quota), None)
