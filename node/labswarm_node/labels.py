"""The labels by which the Swarm's nodes and tasks are known; each constant stands here once."""

INSTANCE = "labswarm.instance"
"""On a node and on its engine: the id of its EC2 instance."""

CLUSTER = "labswarm.cluster"
"""On a node and on its engine: the cluster whose worker it is. On a student's service and its
containers: the cluster whose seat it takes. What has none is of the hub's own cluster."""

USER = "labswarm.user"
SERVER = "labswarm.server"
SERVICE = "labswarm.service"
"""On a student's service and its containers: whose it is, the server's name (empty for the
default one), and the service's own name."""

WAITS_FOR_A_SEAT = "node.labels.labswarm.seat==free"
"""The constraint, met by no node, of a service in line for a seat: the hub's task_spec.py."""
