"""JupyterHub's configuration, the same in the lab and on EC2; every difference is in the settings.

Admins add their own `*.py` to the settings' `conf_dir`: they are read last, by name.
"""

import os
import sys
from pathlib import Path
from urllib.parse import quote

from labswarm.errors import BadInput
from labswarm_hub import instructors, metrics, spawner_options
from labswarm_hub.admins import demote
from labswarm_hub.homes import mark_homes
from labswarm_hub.proxy import SeparateProxy
from labswarm_hub.settings import HubSettings
from labswarm_hub.spawner import LabswarmSpawner

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # given by traitlets
file = Path(os.environ.get("LABSWARM_HUB_CONFIG", "/etc/labswarm/hub.json"))
settings = HubSettings.read(file)
mark_homes(settings.homes)
metrics.register(settings)

c.JupyterHub.bind_url = "http://0.0.0.0:8000"
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = f"http://{settings.hub_name}:8081"
c.JupyterHub.db_url = f"sqlite:///{settings.data_dir}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(settings.data_dir / "cookie_secret")

# The proxy is a service of its own (hub/proxy/start.sh), so that pages stay connected while the hub
# restarts. Its API listens on a socket in a folder that the two share.
proxy = settings.data_dir / "proxy"
c.JupyterHub.proxy_class = SeparateProxy
c.SeparateProxy.api_url = f"http+unix://{quote(str(proxy / 'api.sock'), safe='')}"
c.SeparateProxy.auth_token = (proxy / "token").read_text().strip()

c.JupyterHub.authenticator_class = settings.authenticator
c.Authenticator.admin_users = set(settings.admins)
c.Authenticator.allow_all = settings.lab

# Our pages extend JupyterHub's. An admin's own go before them: insert a folder at 0 in `conf_dir`.
c.JupyterHub.template_vars = {
    "why_stopped": LabswarmSpawner.why_stopped,
    # With profiles the form of a start offers it.
    "offers_reset": not settings.profiles,
}
c.JupyterHub.template_paths = [str(Path(__file__).parent / "templates")]

# Servers outlive the hub, its upgrade and its crash.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 2
# A class arrives all at once, and students without a seat wait in line. A limit here would turn
# them away with an error instead.
c.JupyterHub.concurrent_spawn_limit = 0
# Show the progress page at once: it says how the start goes. A request that stops many servers
# waits only a second for each of them.
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0, "slow_stop_timeout": 1}

c.JupyterHub.spawner_class = LabswarmSpawner
c.LabswarmSpawner.settings = settings
c.LabswarmSpawner.client_kwargs = {"base_url": settings.docker_host, "version": "auto"}
c.LabswarmSpawner.image = settings.image
c.LabswarmSpawner.mem_guarantee = settings.seat.memory_bytes
c.LabswarmSpawner.cpu_guarantee = settings.seat.nano_cpus / 1e9
c.LabswarmSpawner.mem_limit = settings.limit.memory_bytes
c.LabswarmSpawner.cpu_limit = settings.limit.nano_cpus / 1e9
# The spawner itself ends a start in time, with a reason, and no wait in line that a page shows.
# JupyterHub's own end has no reason: it comes after a day.
c.LabswarmSpawner.start_timeout = 86_400
# Options that admins may change stand under Spawner, where their own have the last word.
# A student whose node is lost is offered a new server this soon; until then the page asks the lost
# one.
c.Spawner.poll_interval = 5
# Some students' failing servers are no reason to stop everyone's hub.
c.Spawner.consecutive_failure_limit = 0

# The hub has to know a server's last activity well before it counts as idle (default: every 300 s).
c.JupyterHub.last_activity_interval = settings.activity_interval_s

# labswarm-manager on the hub's host moves servers away from a node that leaves. The culler stops
# idle servers: only that empties nodes and shrinks the cluster.
c.JupyterHub.services = [
    {"name": "labswarm-manager", "api_token": settings.manager_token_file.read_text().strip()},
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "labswarm_hub.culler"],
        "environment": {"LABSWARM_HUB_CONFIG": str(file)},
    },
    *instructors.services(settings),
    *instructors.exam_services(settings, str(file)),
]
c.JupyterHub.load_groups = instructors.groups(settings)
c.JupyterHub.load_roles = [
    {
        "name": "labswarm-manager",
        "description": "List, stop and start students' servers.",
        "services": ["labswarm-manager"],
        "scopes": ["list:users", "servers"],
    },
    {
        "name": "idle-culler",
        "description": "Stop students' servers that do nothing.",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
    *instructors.roles(settings),
    *instructors.exam_roles(settings),
]

# The document's own values (docs/reference/hub-document.md) go before those above.
for name, value in settings.hub_traits.items():
    if name == "template_vars":
        value = {**c.JupyterHub.template_vars, **value}
    setattr(c.JupyterHub, name, value)
c[settings.authenticator_section].update(settings.authenticator_traits)
if settings.default_url:
    c.Spawner.default_url = settings.default_url
demote(settings.data_dir / "jupyterhub.sqlite", settings.former_admins - settings.admins)

ours = dict(c.LabswarmSpawner)
for name, text in settings.extra_config.items():
    exec(compile(text, f"hub.extraConfig.{name}", "exec"))  # noqa: S102  # an admin's own
for extra in sorted(settings.conf_dir.glob("*.py")):
    load_subconfig(str(extra))  # type: ignore[name-defined]  # noqa: F821  # given by traitlets
instructors.leave_groups_to_login(c)
try:
    spawner_options.refuse(c, ours)
except BadInput as error:
    sys.exit(f"{settings.conf_dir}: {error}")
