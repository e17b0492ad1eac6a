# Read by each server's Jupyter: its extension of labswarm is beside this file. Not a PYTHONPATH,
# which the image may have of its own, and each kernel would have too.
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
