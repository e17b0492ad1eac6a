"""JupyterHub's options of a spawner: those that an admin may set, and substitutes for the others.

An option that is set and has no effect is worse than one that is refused. So each option of
Spawner, DockerSpawner and SwarmSpawner stands in one of the two tables, and a test compares them
with the classes' own.
https://jupyterhub.readthedocs.io/en/stable/reference/api/spawner.html
https://jupyterhub-dockerspawner.readthedocs.io/en/latest/api/index.html
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from labswarm.errors import BadInput

CLASSES = ("Spawner", "DockerSpawner", "SwarmSpawner", "LabswarmSpawner")

HONOURED = frozenset(
    {
        *("args", "cmd", "debug", "default_url", "notebook_dir", "disable_user_config"),
        *("environment", "env_keep"),
        *("auth_state_hook", "pre_spawn_hook", "post_stop_hook", "progress_ready_hook"),
        *("consecutive_failure_limit", "http_timeout", "poll_interval", "poll_jitter"),
        *("oauth_client_allowed_scopes", "server_token_scopes"),
        "look_interval",
    }
)
"""They do what JupyterHub says of them."""

_SEATS = "set `seat` (what each server is guaranteed) and `limit` (the most that it may use)"
_IMAGES = "name the class image in `images`, or a group of workers with an image of its own"
_PROFILES = "offer a choice with `profiles`"
_FOLDERS = "mount a folder with `read_only_mounts`; a student's home is always there"
_SPEC = "the container is hardened and placed by labswarm, which writes this part itself"
_DOCKER = "the hub asks the Engine of its own machine, by `docker_host`"
_NAMES = "a service is named after its student and server, so that no two students share one"
_NETWORK = "a server is reached by its task's address on the network `network`"
_TIMES = "a start ends by itself, with a reason, after ten minutes; `http_timeout` may be changed"
_TLS = "the network between the nodes is encrypted by Swarm; JupyterHub's own TLS is not set up"
_OLD = "JupyterHub or dockerspawner has replaced this option"

INSTEAD: Mapping[str, str] = {
    **dict.fromkeys(("mem_guarantee", "mem_limit", "cpu_guarantee", "cpu_limit"), _SEATS),
    **dict.fromkeys(("image", "pull_policy", "move_certs_image"), _IMAGES),
    **dict.fromkeys(
        ("allowed_images", "options_form", "options_from_form", "apply_user_options"), _PROFILES
    ),
    "group_overrides": f"{_PROFILES}, each with the group of workers that it starts on",
    **dict.fromkeys(
        (
            *("volumes", "read_only_volumes", "mounts", "volume_driver", "volume_driver_options"),
            "format_volume_name",
        ),
        _FOLDERS,
    ),
    **dict.fromkeys(
        (
            *("extra_container_spec", "extra_task_spec", "extra_resources_spec"),
            *("extra_placement_spec", "extra_endpoint_spec", "extra_create_kwargs"),
            *("extra_host_config", "links", "post_start_cmd", "remove"),
        ),
        _SPEC,
    ),
    **dict.fromkeys(
        (
            *("client_kwargs", "tls", "tls_assert_hostname", "tls_ca", "tls_cert", "tls_config"),
            *("tls_key", "tls_verify", "use_docker_client_env"),
        ),
        _DOCKER,
    ),
    **dict.fromkeys(("name_template", "prefix", "escape"), _NAMES),
    **dict.fromkeys(
        (
            *("ip", "port", "host_ip", "network_name", "use_internal_ip", "use_internal_hostname"),
            "hub_connect_url",
        ),
        _NETWORK,
    ),
    "start_timeout": _TIMES,
    **dict.fromkeys(("ssl_alt_names", "ssl_alt_names_include_local", "certs_volume_name"), _TLS),
    **dict.fromkeys(
        (
            *("container_image", "container_ip", "container_name_template", "container_port"),
            *("container_prefix", "hub_ip_connect", "image_whitelist", "oauth_roles"),
            "remove_containers",
        ),
        _OLD,
    ),
    "settings": "change the hub's settings themselves",
}
"""The remedy for each option that is refused."""


def refuse(config: Mapping[str, Mapping[str, Any]], ours: Mapping[str, Any]) -> None:
    """Refuse options in an admin's files that have no effect.

    `config` has the options by class, as traitlets' Config has them, and `ours` those of
    LabswarmSpawner before the admin's files were read. Raises BadInput for the first option that is
    not honoured, with its substitute.
    """
    for owner in CLASSES:
        for name, value in config.get(owner, {}).items():
            if owner == CLASSES[-1] and name in ours and ours[name] == value:
                continue
            if name not in HONOURED:
                raise BadInput(f"c.{owner}.{name}", _remedy(name))


def _remedy(name: str) -> str:
    if name in INSTEAD:
        return f"it would have no effect: {INSTEAD[name]}"
    near = get_close_matches(name, HONOURED | INSTEAD.keys(), n=1)
    return "there is no such option" + (f"; did you mean {near[0]!r}?" if near else "")
