"""The labels of the Swarm's nodes and tasks, each defined once."""

INSTANCE = "labswarm.instance"
"""On a node and on its engine: the id of its EC2 instance."""

CLUSTER = "labswarm.cluster"
"""On a node and on its engine: the worker's cluster. On a student's service and its containers: the
cluster of the seat. Without the label it is the hub's own cluster."""

USER = "labswarm.user"
SERVER = "labswarm.server"
SERVICE = "labswarm.service"
"""On a student's service and its containers: the student, the server's name (empty for the default
server), and the service's own name."""

REFUSED_BY = "labswarm.refused-by"
"""On a student's containers: the ids of the nodes on which this start failed, with commas."""

WAITS_FOR_A_SEAT = "node.labels.labswarm.seat==free"
"""The constraint, met by no node, of a service in line for a seat: labswarm_hub.task_spec."""

UNFIT = "labswarm.unfit"
"""On a worker's engine, set by the worker itself: the part of it that servers cannot do without and
that it has lost."""
