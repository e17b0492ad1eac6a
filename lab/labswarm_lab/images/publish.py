"""Getting an image to where every node can pull it."""

from docker import DockerClient

from labswarm.errors import Permanent


def publish(engine: DockerClient, layer: bytes, name: str) -> str:
    """Import a tar as the image `name` (registry/path, no tag), push it; its name by digest.

    By digest every node runs the same bytes, even if a tag changes later. Raises Permanent when the
    registry does not take it.
    """
    engine.api.import_image_from_data(layer, repository=name, tag="lab")
    for line in engine.images.push(name, tag="lab", stream=True, decode=True):
        if "error" in line:
            raise Permanent(f"the registry did not take {name}: {line['error']}")
        digest = line.get("aux", {}).get("Digest")
        if digest:
            return f"{name}@{digest}"
    raise Permanent(f"the registry gave no digest for {name}")
