# Read by each server's Jupyter, in any image, before it connects to the hub. Hubs mount it by this
# name, older ones too.
import sys
from contextlib import suppress
from pathlib import Path

# The extension of labswarm is next to this file. Not a PYTHONPATH, which the image may have of its
# own, and each kernel would have too.
sys.path.append(str(Path(__file__).parent))

# A restarted hub has another address. Docker's name server lets its answers be kept for
# 600 s, and c-ares, by which JupyterHub 6 asks, does so (https://c-ares.org/docs/ares_init_options.html,
# qcache_max_ttl): so long no student could open a server that has outlived its hub. The C library
# asks each time.
with suppress(ImportError):  # an older JupyterHub asks the C library
    import aiohttp.connector

    aiohttp.connector.DefaultResolver = aiohttp.ThreadedResolver  # type: ignore[attr-defined]  # no public name
