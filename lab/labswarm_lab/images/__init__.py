"""The lab's images: folders and a few files, on which the machine's own programs are mounted.

A real image with Python and JupyterLab is some 500 MB and minutes to build; the lab wants to be up
within seconds. So `/usr` and the class's Python environment come from the machine by read-only
mounts. The image holds the parts that must be its own: users, a home, and the configuration of
Jupyter and IPython. It is pushed to a registry, pulled by digest and run by
Swarm as any image is.
"""

from labswarm_lab.images.hub import hub_image
from labswarm_lab.images.notebook import notebook_image
from labswarm_lab.images.publish import publish

__all__ = ["hub_image", "notebook_image", "publish"]
