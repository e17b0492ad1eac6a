"""The image that the hub runs in."""

from labswarm_lab.images.skeleton import skeleton


def hub_image() -> bytes:
    """The hub image's only layer, as a tar."""
    return skeleton(
        {
            "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
            "etc/group": "root:x:0:\n",
            "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        }
    )
