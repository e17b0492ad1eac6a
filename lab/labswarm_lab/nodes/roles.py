"""What a machine of the lab is for, by its EC2 tag."""

from labswarm_lab.plane.machines import Instance

TAG = "labswarm:role"


def role_of(instance: Instance) -> str:
    """`hub` or `worker`."""
    return "hub" if instance.tags.get(TAG) == "hub" else "worker"
