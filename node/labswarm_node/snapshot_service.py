"""`labswarm-snapshot`: the service on the hub's host that sends snapshots of the Swarm to AWS.

It looks every few seconds, and at once when the Swarm reports a changed service or node. Each group
of workers has a snapshot of its own, as a cluster. Every two minutes the service asks the hub for
its servers, and adds the students' services that the hub does not know. Once a minute it looks
whether booked labs end soon, and notifies their students.
Permissions of the hub's role: ssm:GetParametersByPath, dynamodb:PutItem, dynamodb:GetItem and
events:PutEvents.
"""

import argparse
import logging
import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

from labswarm.aws.cluster import SsmClusters
from labswarm.aws.dynamodb import state
from labswarm.aws.dynamodb.snapshot import DynamoSnapshots
from labswarm.cluster import Resources
from labswarm.errors import BadInput, LabswarmError, Permanent, Transient
from labswarm.lab_hours.booking import Booking
from labswarm.names import app_name, prefix
from labswarm.notices import Message, Notice
from labswarm.seats import Seat
from labswarm.snapshot import Snapshot
from labswarm_node.aws import clients, reached
from labswarm_node.clock import Clock, WallClock
from labswarm_node.config import HubConfig, NodeConfig
from labswarm_node.docker_swarm import DockerSwarm
from labswarm_node.event_bus import put_event
from labswarm_node.every import add_every
from labswarm_node.hub import HubApi
from labswarm_node.lab_ends import end_of_labs
from labswarm_node.notifying import send
from labswarm_node.snapshot import HubAnswer, Sent, snapshot_of
from labswarm_node.swarm import StudentTask, Watched

EVERY_S = 5.0
TABLE = app_name("snapshots")
TOKEN = "hub-token"  # noqa: S105  # a file's name
# Long enough to see a class that comes at once as one change, and for a new service to have its
# task; short compared with a node's start.
SETTLE_S = 0.5
# Well within the 120 s after which a snapshot is stale.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0
# A changed seat counts for hub and snapshots within a minute.
DESCRIBED_FOR_S = 30.0
# Half of a node's default start time: two passes of reconcile that agree are further apart, and so
# they use two answers of the hub.
HUB_EVERY_S = 120.0
LABS_EVERY_S = 60.0

log = logging.getLogger("labswarm-snapshot")


Sizes = Mapping[str, tuple[Seat, Seat]]
"""The seat and a node's overhead of each cluster, by its name."""


class Audience(Protocol):
    """The part of AWS that the service needs; every call raises Transient without an answer."""

    def seats(self) -> Sizes:
        """Return seat and overhead of each cluster of this hub, including its own."""
        ...

    def write(self, snapshot: Snapshot) -> bool:
        """Write the snapshot; False when AWS has one that is as new or newer."""
        ...

    def call(self, cluster: str, waiting: int) -> None:
        """Send `SeatsShort` with the number of waiting students."""
        ...

    def labs(self, cluster: str) -> tuple[Booking, ...]:
        """Return the cluster's booked labs, as lab hours have read them last."""
        ...


class KnownServers(Protocol):
    """The part of the hub that the service needs."""

    def servers(self) -> frozenset[tuple[str, str]]:
        """As labswarm_node.hub.Hub."""
        ...

    def notify(self, user: str, server: str, notice: Notice | Message) -> None:
        """As labswarm_node.hub.Hub."""
        ...


class SnapshotService:
    """Looks at a hub's Swarm and sends a snapshot of each of the hub's clusters.

    `cluster` is the hub's own; the others are its further groups of workers.
    """

    def __init__(
        self,
        cluster: str,
        swarm: Watched,
        audience: Audience,
        hub: KnownServers,
        clock: Clock,
        every_s: float = EVERY_S,
    ) -> None:
        self._cluster = cluster
        self._swarm = swarm
        self._hub = hub
        self._audience = audience
        self._clock = clock
        self._every_s = every_s
        self._sent: dict[str, Sent] = {}
        self._seats: Sizes = {}
        self._described_at = 0.0
        self._answer: HubAnswer | None = None
        self._asked_at = 0.0
        self._labs_at = 0.0
        # The servers that know when their lab ends; those of earlier labs are forgotten with it.
        self._notified: dict[str, tuple[int, frozenset[tuple[str, str]]]] = {}

    def run(self) -> NoReturn:
        """Look and send for ever. Raises Permanent for an error that a retry does not cure."""
        failures, longest_s = 0, FIRST_PAUSE_S
        while True:
            looked_at = self._clock.now()
            try:
                again_in_s = self.look()
                failures, longest_s = 0, FIRST_PAUSE_S
                if self._swarm.await_change(looked_at, again_in_s):
                    self._clock.sleep(SETTLE_S)
            except Transient as error:
                failures += 1
                # Jitter: not all hubs retry at the same moment.
                pause_s = longest_s * random.uniform(0.5, 1)  # noqa: S311
                longest_s = min(LONGEST_PAUSE_S, 2 * longest_s)
                log.warning("failed %d times, again in %.1f s: %s", failures, pause_s, error)
                self._clock.sleep(pause_s)

    def look(self) -> float:
        """Look once, send the snapshots that are due, and return the seconds until the next look.

        A cluster that fails delays no other. Only the hub's own cluster ends the service with a
        Permanent error.
        """
        now = self._clock.now()
        sizes = self._sizes(now)
        nodes, tasks = self._swarm.nodes(), self._swarm.tasks()
        again_in_s = self._every_s
        failed: Transient | None = None
        for cluster, (seat, overhead) in sizes.items():
            own = cluster == self._cluster
            seen = snapshot_of(cluster, now, nodes, tasks, seat, overhead, self._answer, own=own)
            try:
                again_in_s = min(again_in_s, self._send(seen))
            except Transient as error:
                failed = failed or error
            except Permanent as error:
                if own:
                    raise
                log.error("cannot send the snapshot of %s: %s", cluster, error)  # noqa: TRY400
        if failed:
            raise failed
        if now - self._asked_at >= HUB_EVERY_S:
            # Last, because a large hub takes seconds to answer; the next look sends it.
            self._asked_at, self._answer = now, self._ask()
        if now - self._labs_at >= LABS_EVERY_S:
            self._labs_at = now
            for cluster in sizes:
                self._notify_of_end(cluster, tasks, now)
        return again_in_s

    def _notify_of_end(self, cluster: str, tasks: Sequence[StudentTask], now: float) -> None:
        """Notify the cluster's students whose booked lab ends soon, each of them once.

        A server that does not answer is tried again in a minute.
        """
        try:
            ends = end_of_labs(self._audience.labs(cluster), now)
        except (Transient, Permanent) as error:
            # No notice is no harm: the server then stops when it is idle.
            log.warning("the labs of %s cannot be read: %s", cluster, error)
            return
        if ends is None:
            return
        of_cluster = None if cluster == self._cluster else cluster
        there = {
            (task.server.user, task.server.name)
            for task in tasks
            if task.cluster == of_cluster and not task.waits
        }
        before, notified = self._notified.get(cluster, (0, frozenset()))
        notified = notified if before == ends else frozenset()
        outcomes = send(self._hub, sorted(there - notified), Notice("lab", ends))
        took = {server for server, error in outcomes.items() if error != "transient"}
        self._notified[cluster] = (ends, notified | took)
        if outcomes:
            log.info("lab ends: %s, %d of %d notified", cluster, len(took), len(outcomes))

    def _ask(self) -> HubAnswer | None:
        """Ask the hub for its servers; None without an answer, or without students' services.

        The services are listed first, so that a server which starts in between is not missing.
        """
        services = self._swarm.services()
        if not services:
            return None
        try:
            answer = HubAnswer(services, self._hub.servers())
        except (Transient, Permanent) as error:
            log.warning("the hub does not say which servers it knows: %s", error)
            return None
        if answer.unknown:
            of_all = (len(answer.unknown), len(services))
            log.warning("the hub does not know %d of %d students' services", *of_all)
        return answer

    def _send(self, seen: Snapshot) -> float:
        """Send the snapshot and `SeatsShort` if due; return the seconds until the next may be due.

        The snapshot is written first, because the answer to `SeatsShort` reads it.
        """
        sent = self._sent.get(seen.cluster, Sent())
        if sent.is_news(seen):
            self._write(seen)
            sent = self._sent[seen.cluster] = sent.after(seen)
        due_in_s = sent.call_due_in(seen)
        if due_in_s == 0:
            self._audience.call(seen.cluster, seen.waiting)
            self._sent[seen.cluster] = sent.after_call(seen)
            log.info("SeatsShort: %s, %d waiting", seen.cluster, seen.waiting)
        return due_in_s or self._every_s

    def _write(self, seen: Snapshot) -> None:
        if self._audience.write(seen):
            seats = sum(node.seats for node in seen.nodes)
            log.info(
                "written: %s, %d nodes, %d seats, %d running, %d waiting",
                *(seen.cluster, len(seen.nodes), seats, seen.running, seen.waiting),
            )
        else:
            # A write that is repeated because its answer was lost finds itself.
            log.warning(
                "AWS has a snapshot as new as this: an answer was lost, or another service runs"
            )

    def _sizes(self, now: float) -> Sizes:
        if not self._seats or now - self._described_at >= DESCRIBED_FOR_S:
            self._seats, self._described_at = self._audience.seats(), now
        return self._seats


class AwsAudience:
    """`Audience` on AWS: the clusters' descriptions, the table, and the default event bus.

    Seats and overheads come from the descriptions, as the functions read them. With a second copy
    in node.json the two could disagree on the seats of a node.
    """

    def __init__(
        self, cluster: str, manager: str, table: str, client: Callable[[str], Any]
    ) -> None:
        """`cluster` is the hub's own, `manager` its instance; `client` makes a boto3 client of a
        service."""
        self._cluster = cluster
        self._manager = manager
        self._clusters = SsmClusters(client("ssm"))
        self._snapshots = DynamoSnapshots(client("dynamodb"), table)
        self._states = state.DynamoLabHoursStates(client("dynamodb"), state.TABLE)
        self._events = client("events")

    def seats(self) -> Sizes:
        with reached():
            clusters, wrong = self._clusters.of_hub(self._cluster, self._manager)
        for error in wrong:
            log.error("left out: %s", error)
        return {c.name: (_seat(c.seat), _seat(c.overhead)) for c in clusters}

    def write(self, snapshot: Snapshot) -> bool:
        with reached():
            return self._snapshots.write_snapshot(snapshot)

    def call(self, cluster: str, waiting: int) -> None:
        detail = {"cluster": cluster, "waiting": waiting}
        put_event(self._events, f"{prefix()}.hub", "SeatsShort", detail)

    def labs(self, cluster: str) -> tuple[Booking, ...]:
        with reached():
            return self._states.read_state(cluster).labs


def main() -> int:
    """Entry point: run until the process is ended or an error is not retryable."""
    return serve(sys.argv[1:], os.environ)


def serve(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    swarm: Callable[[NodeConfig], Watched] = lambda config: DockerSwarm(config.docker_host),
) -> int:
    """Run the service of the hub that node.json names; return the exit code when it fails."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    # botocore logs where credentials came from, each time.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    options = _parser().parse_args(arguments)
    try:
        config = NodeConfig.read(environment)
        if config.hub is None:
            raise BadInput("role", f"is {config.role!r}; labswarm-snapshot runs on the hub")
        client = clients(config)
        audience = AwsAudience(config.cluster, config.instance_id, options.table, client)
        log.info("looking at %s every %g s", config.docker_host, options.every)
        hub = HubApi(_with_credentials(config.hub, environment))
        SnapshotService(
            config.cluster, swarm(config), audience, hub, WallClock(), options.every
        ).run()
    except LabswarmError as error:
        log.error("exiting: this error is not retryable: %s", error)  # noqa: TRY400
        return 2 if isinstance(error, BadInput) else 1


def _with_credentials(hub: HubConfig, environment: Mapping[str, str]) -> HubConfig:
    """Return the hub's configuration with the token file that systemd lays for this service.

    The service runs as an unprivileged user that may not read the file itself: systemd.exec(5),
    LoadCredential.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    return replace(hub, token_file=Path(folder, TOKEN)) if folder else hub


def _seat(resources: Resources) -> Seat:
    return Seat(resources.memory_bytes, resources.nano_cpus)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="labswarm-snapshot", description="Send snapshots of the Swarm to AWS, for ever."
    )
    add_every(parser, EVERY_S)
    parser.add_argument("--table", default=TABLE, help="write to this table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
