"""The folder of the students' homes, the same on the hub and on each worker."""

MARKER = ".labswarm"
"""An empty folder among the homes, made by the hub. A worker that does not find it has another
folder, or none, in place of the homes."""
