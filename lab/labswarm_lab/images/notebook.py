"""The class image, in which a student's server runs."""

from labswarm_lab.images.skeleton import skeleton

_USERS = "root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:100:jovyan:/home/jovyan:/bin/bash\n"
_GROUPS = "root:x:0:\nusers:x:100:\n"


def notebook_image() -> bytes:
    """The class image's only layer, as a tar."""
    return skeleton(
        {
            "etc/passwd": _USERS,
            "etc/group": _GROUPS,
            "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        },
        owned={"home/jovyan": (1000, 100)},
    )
