"""A node's own part in the Swarm: joining, fetching images, leaving. Each can be done twice."""

from collections.abc import Sequence
from typing import Any

from labswarm.errors import BadInput, Gone
from labswarm_node.config import IMAGE
from labswarm_node.join_secret import JoinSecret
from labswarm_node.swarm import Engine

_IN_NO_SWARM = "inactive"
_MEMBER = "active"


def join(engine: Engine, secret: JoinSecret, advertise_address: str) -> dict[str, Any]:
    """Be a member of the secret's Swarm; a new member is paused, so that nothing starts there yet.

    An engine in another Swarm, or whose state is broken, leaves by force first: it would refuse to
    join. One that was removed while it was ready cannot know, and says that it is a member already.
    """
    now = engine.membership()
    if now.state == _MEMBER and secret.manager in now.managers:
        return {"node_id": now.node_id, "already": True}
    if now.state != _IN_NO_SWARM:
        engine.leave(force=True)
    engine.join(secret.token, secret.manager, advertise_address, "pause")
    return {"node_id": engine.membership().node_id, "already": False}


def leave(engine: Engine) -> dict[str, Any]:
    """Be in no Swarm. Raises Permanent for a manager: it would take the Swarm with it."""
    try:
        engine.leave(force=False)
    except Gone:
        return {"left": True, "already": True}
    return {"left": True, "already": False}


def pull(engine: Engine, images: Sequence[str]) -> dict[str, Any]:
    """Have every image here; one named by digest is not asked for again.

    Raises BadInput for what is no image's name.
    """
    for image in images:
        if not IMAGE.fullmatch(image):
            raise BadInput("--images", f"{image!r} is no image; write names with a digest or tag")
    for image in images:
        if not ("@sha256:" in image and engine.has_image(image)):
            engine.pull(image)
    return {"images": list(images)}
