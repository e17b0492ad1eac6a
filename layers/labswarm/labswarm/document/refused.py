"""Keys of Zero to JupyterHub that a document does not have, and what to use instead.

A path is refused with everything below it. The paths are those of its values.schema.yaml.
"""

from collections.abc import Mapping

_KUBERNETES = "there is no Kubernetes here, so nothing takes its place; leave it out"
_LOGIN = "describe the login under `login`, with its `kind`"
_EXTRA = "write it as Python under `hub.extraConfig`"
_MACHINE = "Terraform gives the hub its machine: set the variable `hub_instance_type`"
_HTTPS = "Terraform sets the hub's address and certificate: `domain`, `acme_email`"
_HOMES = "a student's home is always there, on EFS; leave it out"
_FOLDERS = "a folder is made by its name in `singleuser.storage.extraVolumeMounts`; leave it out"

INSTEAD: Mapping[str, str] = {
    "hub.config.JupyterHub": f"{_LOGIN}; any other option: {_EXTRA}",
    **dict.fromkeys(
        (
            f"hub.config.{kind}"
            for kind in (
                *("GitHubOAuthenticator", "GoogleOAuthenticator", "AzureAdOAuthenticator"),
                *("GenericOAuthenticator", "CILogonOAuthenticator", "LTI13Authenticator"),
                *("LDAPAuthenticator", "NativeAuthenticator", "FirstUseAuthenticator"),
                *("OAuthenticator", "DummyAuthenticator", "Auth0OAuthenticator"),
            )
        ),
        _LOGIN,
    ),
    "hub.config.KubeSpawner": "set `singleuser.memory`, `singleuser.cpu` and `singleuser.image`",
    "hub.config.Spawner": f"set the key under `singleuser`, or {_EXTRA}",
    "hub.baseUrl": "the hub is at `/`; leave it out",
    **dict.fromkeys(("hub.command", "hub.args", "hub.extraFiles", "hub.templatePaths"), _EXTRA),
    **dict.fromkeys(("hub.services", "hub.loadRoles", "hub.authenticatePrometheus"), _EXTRA),
    "hub.extraEnv": "the hub needs none; set `singleuser.extraEnv` for students' servers",
    "hub.cookieSecret": "the hub makes its own and keeps it on its data volume; leave it out",
    "hub.image": "the image is built with the hub's machine; see docs/how-to/deploy.md",
    "hub.db": "the database is SQLite on the hub's data volume; leave it out",
    "hub.consecutiveFailureLimit": "failed starts never stop the hub; leave it out",
    "hub.resources": _MACHINE,
    **dict.fromkeys(
        (
            f"hub.{name}"
            for name in (
                *("revisionHistoryLimit", "networkPolicy", "labels", "initContainers", "fsGid"),
                *("service", "pdb", "existingSecret", "nodeSelector", "tolerations"),
                *("annotations", "podSecurityContext", "containerSecurityContext"),
                *("deploymentStrategy", "extraContainers", "extraVolumeMounts", "extraVolumes"),
                *("livenessProbe", "readinessProbe", "lifecycle", "serviceAccount"),
                "extraPodSpec",
            )
        ),
        _KUBERNETES,
    ),
    "proxy.https": _HTTPS,
    "proxy.secretToken": "the hub makes its own; leave it out",
    "proxy": _KUBERNETES,
    "ingress": _HTTPS,
    **dict.fromkeys(
        (
            f"singleuser.storage.{name}"
            for name in ("type", "static", "dynamic", "homeMountPath", "extraLabels")
        ),
        _HOMES,
    ),
    "singleuser.storage.extraVolumes": _FOLDERS,
    "singleuser.image.pullPolicy": "a node fetches an image once; give a new one a new tag",
    "singleuser.image.pullSecrets": "the nodes' role may read ECR; put the image there",
    "singleuser.startTimeout": "a start ends by itself after ten minutes; leave it out",
    "singleuser.uid": "a server runs as uid 1000, the owner of the home; leave it out",
    "singleuser.cloudMetadata": "a server never reaches the instance's metadata; leave it out",
    "singleuser.networkPolicy": "the workers' cookbook sets it: `labswarm_worker.unreachable`",
    "singleuser.extraResource": "offer a group of workers with a profile: docs/reference/groups.md",
    "singleuser.extraFiles": "put the files in the class image",
    "singleuser.lifecycleHooks": f"{_EXTRA}, as `c.Spawner.pre_spawn_hook`",
    **dict.fromkeys(
        (
            f"singleuser.{name}"
            for name in (
                *("podNameTemplate", "initContainers", "nodeSelector", "extraTolerations"),
                *("extraNodeAffinity", "extraPodAffinity", "extraPodAntiAffinity", "events"),
                *("extraAnnotations", "extraContainers", "extraLabels", "extraPodConfig"),
                *("fsGid", "networkTools", "serviceAccountName", "allowPrivilegeEscalation"),
            )
        ),
        _KUBERNETES,
    ),
    "singleuser.profileList.kubespawner_override": "set the profile's `image`, `limit`, `group`",
    "singleuser.profileList.profile_options": "write one profile for each choice",
    "scheduling.userPlaceholder.enabled": "set `scheduling.userPlaceholder.replicas`; 0 keeps none",
    **dict.fromkeys(
        ("scheduling.userScheduler", "scheduling.podPriority", "scheduling.corePods"), _KUBERNETES
    ),
    "scheduling.userPods": _KUBERNETES,
    **dict.fromkeys(
        ("prePuller.hook", "prePuller.continuous"),
        "a node always fetches its images before it opens; leave it out",
    ),
    "prePuller.pullProfileListImages": "the profiles' images are always fetched; leave it out",
    "cull.enabled": "idle servers are always stopped; set a long `cull.timeout`",
    "cull.every": "the culler looks often enough by itself; leave it out",
    **dict.fromkeys(
        ("cull.users", "cull.adminUsers", "cull.removeNamedServers", "cull.concurrency"),
        "servers of all users are stopped, and users stay; leave it out",
    ),
    **dict.fromkeys(
        (
            *("fullnameOverride", "nameOverride", "imagePullSecret", "imagePullSecrets"),
            *("rbac", "global", "custom"),
        ),
        _KUBERNETES,
    ),
}


def instead_of(path: str) -> str | None:
    """Return what to use instead of the key at this path; None for a key that nothing is known of.

    Indexes in lists are left out of `path`.
    """
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if instead := INSTEAD.get(".".join(parts[:length])):
            return instead
    return None
