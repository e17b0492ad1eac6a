"""The lab's Swarm by cluster, looked at as the snapshot service looks."""

import time
from collections.abc import Sequence

from labswarm.aws.cluster import SsmClusters
from labswarm.cluster import Cluster
from labswarm.seats import Seat
from labswarm.snapshot import NodeSeen
from labswarm_lab.lab import Lab
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.snapshots import SimulatedSwarm
from labswarm_node.docker_swarm import DockerSwarm
from labswarm_node.snapshot import snapshot_of
from labswarm_node.swarm import StudentTask, SwarmNode, Watched


def clusters(lab: Lab) -> list[Cluster]:
    """The lab's own cluster first, then those of its further groups of workers."""
    described = SsmClusters(lab.client("ssm"))
    names = sorted(described.names(), key=lambda name: (name != lab.cluster, name))
    return [described.read_cluster(name) for name in names]


def swarm_of(lab: Lab) -> Watched:
    """The Swarm of a lab that is up, real or simulated."""
    if lab.running.simulated:
        return SimulatedSwarm(NodesSettings.read(lab.place))
    return DockerSwarm(f"unix://{lab.place.docker_socket(lab.running.manager)}")


def workers_seen(
    lab: Lab, cluster: Cluster, nodes: Sequence[SwarmNode], tasks: Sequence[StudentTask]
) -> dict[str, NodeSeen]:
    """A cluster's workers by instance id, or by node id where no label says that.

    Of several nodes of one instance the one that is ready, or else the newest: the others are
    ghosts.
    """
    seat, overhead = (
        Seat(size.memory_bytes, size.nano_cpus) for size in (cluster.seat, cluster.overhead)
    )
    own = cluster.name == lab.cluster
    seen = snapshot_of(cluster.name, time.time(), nodes, tasks, seat, overhead, own=own)
    by_life = sorted(seen.nodes, key=lambda node: (node.state == "ready", node.created_at))
    return {node.instance_id or node.node_id: node for node in by_life}
