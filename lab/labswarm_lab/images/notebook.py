"""The class image: what a student's server runs in."""

from labswarm_lab.images.skeleton import skeleton

_USERS = "root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:100:jovyan:/home/jovyan:/bin/bash\n"
_GROUPS = "root:x:0:\nusers:x:100:\n"

# SQLite locks files, which on a network file system hangs sooner or later; the home is on one.
_JUPYTER = """\
c.NotebookNotary.db_file = "/tmp/jupyter-notary.sqlite"
c.BaseFileIdManager.db_path = "/tmp/jupyter-file-ids.sqlite"
"""
_IPYTHON = """\
c.HistoryManager.hist_file = "/tmp/ipython-history.sqlite"
"""


def notebook_image() -> bytes:
    """The class image's only layer, as a tar."""
    return skeleton(
        {
            "etc/passwd": _USERS,
            "etc/group": _GROUPS,
            "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
            "etc/jupyter/jupyter_server_config.py": _JUPYTER,
            "etc/ipython/ipython_config.py": _IPYTHON,
        },
        owned={"home/jovyan": (1000, 100)},
    )
