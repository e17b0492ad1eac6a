"""A node's own part in the Swarm: join, pull images, leave. Each can be repeated."""

from collections.abc import Sequence
from typing import Any

from labswarm.errors import BadInput, Gone
from labswarm_node.config import IMAGE
from labswarm_node.join_secret import JoinSecret
from labswarm_node.swarm import Engine

_IN_NO_SWARM = "inactive"
_MEMBER = "active"


def join(engine: Engine, secret: JoinSecret, advertise_address: str) -> dict[str, Any]:
    """Join the Swarm that the secret names. A new member is paused: nothing starts there yet.

    An engine that is in another Swarm or in a broken state leaves by force first, or it would
    refuse to join. An engine that was removed while ready does not know and reports `already`.
    """
    now = engine.membership()
    if now.state == _MEMBER and secret.manager in now.managers:
        return {"node_id": now.node_id, "already": True}
    if now.state != _IN_NO_SWARM:
        engine.leave(force=True)
    engine.join(secret.token, secret.manager, advertise_address, "pause")
    return {"node_id": engine.membership().node_id, "already": False}


def leave(engine: Engine) -> dict[str, Any]:
    """Leave the Swarm. Raises Permanent for a manager, whose leaving would end the Swarm."""
    try:
        engine.leave(force=False)
    except Gone:
        return {"left": True, "already": True}
    return {"left": True, "already": False}


def pull(engine: Engine, images: Sequence[str]) -> dict[str, Any]:
    """Pull every image; one named by digest that is here is not pulled again.

    Raises BadInput for a text that is no image name.
    """
    for image in images:
        if not IMAGE.fullmatch(image):
            raise BadInput("--images", f"{image!r} is no image; write names with a digest or tag")
    for image in images:
        if not ("@sha256:" in image and engine.has_image(image)):
            engine.pull(image)
    return {"images": list(images)}
