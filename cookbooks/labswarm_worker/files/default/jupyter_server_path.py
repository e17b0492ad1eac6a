# Read by each server's Jupyter, in any image, before it connects to the hub. Hubs mount it by this
# name, older ones too.
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

# The extension of labswarm is next to this file. Not a PYTHONPATH, which the image may have of its
# own, and each kernel would have too.
sys.path.append(str(Path(__file__).parent))

# Terminals: bash, which finds the server's own jupyter and pip. Jupyter would start a login shell,
# and /etc/profile replaces the PATH.
programs = str(Path(sys.executable).parent)
if programs not in os.environ["PATH"].split(":"):
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
c = get_config()  # type: ignore[name-defined]  # noqa: F821  # given by traitlets
c.ServerApp.terminado_settings = {"shell_command": [shutil.which("bash") or "sh"]}

# A kernel that does nothing for an hour ends, also when a page is connected to it: 2i2c's settings
# (https://github.com/2i2c-org/infrastructure, helm-charts/basehub/values.yaml).
c.MappingKernelManager.cull_idle_timeout = 3600
c.MappingKernelManager.cull_interval = 300
c.MappingKernelManager.cull_connected = True

# SQLite locks up on the network file system of the homes. Jupyter reads these settings from no file
# in a folder `jupyter_server_config.d`, only its list of extensions.
c.NotebookNotary.db_file = "/tmp/jupyter-notary.sqlite"  # noqa: S108  # the container's own
c.BaseFileIdManager.db_path = "/tmp/jupyter-file-ids.sqlite"  # noqa: S108

# Where the image has jupyter-resource-usage.
c.ResourceUseDisplay.track_cpu_percent = True
c.ResourceUseDisplay.show_host_usage = False

# A restarted hub has another address. Docker's name server lets its answers be kept for 600 s.
# JupyterHub 6 asks by c-ares, which keeps them (https://c-ares.org/docs/ares_init_options.html,
# qcache_max_ttl), so for 600 s no student could open a server that has outlived its hub. The C
# library asks each time.
with suppress(ImportError):  # an older JupyterHub asks the C library
    import aiohttp.connector

    aiohttp.connector.DefaultResolver = aiohttp.ThreadedResolver  # type: ignore[attr-defined]  # no public name
