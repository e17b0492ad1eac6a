"""The node.json of a machine in the lab: on AWS, cloud-init writes it."""

import json
from pathlib import Path

from labswarm.names import DEFAULT
from labswarm_lab.nodes.settings import NodesSettings


def node_json(settings: NodesSettings, instance_id: str, role: str, address: str) -> str:
    """The text of labswarm_node.config.NodeConfig for one machine."""
    place = settings.place
    chef_dir = place.node_dir(instance_id) / "chef"
    hub = {
        "api_url": settings.hub_api_url,
        "token_file": str(settings.hub_token_file),
        "proxy_url": settings.proxy_url,
    }
    return json.dumps(
        {
            "cluster": settings.cluster,
            "instance_id": instance_id,
            "role": role,
            "region": settings.region,
            "docker_host": f"unix://{place.docker_socket(instance_id)}",
            "advertise_address": address,
            "aws_endpoint_url": settings.aws_url,
            "join_secret": settings.join_secret,
            "images": list(settings.images),
            "chef": {
                "url": settings.chef_url,
                "organization": settings.chef_organization,
                "ca_file": None if settings.chef_ca_file is None else str(settings.chef_ca_file),
                "node_name": f"{settings.cluster}-{instance_id}",
                "key_file": str(chef_dir / "client.pem"),
                "client": settings.chef_client,
                # A lab's Chef Server has no policies: its nodes run the role that the app names.
                "policy_name": None,
                "policy_group": None,
            },
            "hub": hub if role == "hub" else None,
            "state_dir": str(place.node_dir(instance_id) / "moves"),
            "prefix": DEFAULT,
        }
    )


def write_node_json(settings: NodesSettings, instance_id: str, role: str, address: str) -> Path:
    """Write it into the machine's folder; where it is."""
    path = settings.place.node_dir(instance_id) / "node.json"
    path.write_text(node_json(settings, instance_id, role, address))
    return path
