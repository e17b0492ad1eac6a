"""Where the facts of an account are read."""

from collections.abc import Sequence
from typing import Protocol

from labswarm.cluster import Cluster
from labswarm.readiness.account import Agent, Alarm, Kind, Limit, Rate, WorkerGroup


class Accounts(Protocol):
    """The account of one region. Every call raises AWS's errors by kind."""

    @property
    def region(self) -> str:
        """The name of the region."""

    def group(self, asg: str) -> WorkerGroup | None:
        """The group of workers; None where there is none of this name."""

    def kinds(self, types: Sequence[str]) -> list[Kind]:
        """The instance types of these names."""

    def limits(self, asg: str) -> list[Limit]:
        """The account's limits that AWS gives a value for, without the use by this group."""

    def rates(self) -> list[Rate]:
        """The rates that AWS lists of Systems Manager's operations that the app calls per node."""

    def addresses(self, asg: str) -> int | None:
        """The free addresses of the workers' subnets, with those that its workers have now; None
        for a group without subnets."""

    def agents(self, cluster: str) -> list[Agent]:
        """The agents of the cluster's running instances."""

    def missing(self, cluster: Cluster) -> list[str]:
        """The parameters that the description names as ssm:NAME, and that do not exist."""

    def alarms(self) -> list[Alarm]:
        """The app's alarms."""

    def subscribers(self, topics: Sequence[str]) -> dict[str, int]:
        """How many confirmed subscriptions each topic has."""
