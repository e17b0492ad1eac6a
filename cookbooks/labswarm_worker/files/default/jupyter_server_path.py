# Read by each server's Jupyter: where its extension of labswarm is. Not a PYTHONPATH, which the
# image may have of its own, and each kernel would have too.
import sys

sys.path.append("/etc/labswarm/jupyter")
