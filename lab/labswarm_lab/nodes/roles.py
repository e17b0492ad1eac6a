"""The role of a machine of the lab, by its EC2 tags."""

from labswarm_emulator.machines import Instance

TAG = "labswarm:role"
CLUSTER_TAG = "labswarm:cluster"


def role_of(instance: Instance) -> str:
    """`hub` or `worker`."""
    return "hub" if instance.tags.get(TAG) == "hub" else "worker"


def cluster_of(instance: Instance, own: str) -> str:
    """The cluster whose machine it is: the lab's `own`, or that of a further group of workers."""
    return instance.tags.get(CLUSTER_TAG, own)
