# Read by each server's Jupyter, in any image, before it connects to the hub. Hubs mount it by this
# name, older ones too.
import asyncio
import os
import shutil
import sys
import time
from contextlib import suppress
from functools import wraps
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

# The server asks the hub who sends a request, at most every five minutes. While the hub restarts,
# the request waits for the answer. JupyterHub itself answers 500 at once, or waits for the former
# hub's address for two minutes, and a page that saves at that moment shows an error. It has no
# option for this, and no public name. After a minute the page, which knows 503, waits by itself.
_HUB_BACK_WITHIN_S, _ANSWERS_WITHIN_S = 60, 10
with suppress(ImportError, AttributeError):
    from jupyterhub.services.auth import HubAuth
    from tornado.web import HTTPError

    ask_the_hub = HubAuth._api_request

    @wraps(ask_the_hub)
    async def ask_the_hub_until_it_answers(self, method, *asked, **more):  # type: ignore[no-untyped-def]  # as JupyterHub's own
        deadline = time.monotonic() + _HUB_BACK_WITHIN_S
        # The code of a login is good for one use, and may have been used.
        patience = _ANSWERS_WITHIN_S if method == "GET" else None
        while time.monotonic() < deadline:
            try:
                return await asyncio.wait_for(ask_the_hub(self, method, *asked, **more), patience)
            except HTTPError as error:
                if not str(error.log_message).startswith("Failed to connect to Hub API"):
                    raise
            except asyncio.TimeoutError:  # noqa: UP041  # not the built-in one before Python 3.11
                continue
            await asyncio.sleep(0.5)
        raise HTTPError(503, "The hub does not answer.")

    if asyncio.iscoroutinefunction(ask_the_hub):  # JupyterHub 4 and older: a plain function
        HubAuth._api_request = ask_the_hub_until_it_answers
