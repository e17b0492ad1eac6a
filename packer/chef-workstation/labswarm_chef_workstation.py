#!/opt/labswarm-aws/bin/python
"""Gives the user `ubuntu` a knife that is connected, as /etc/labswarm/ground.json says.

Runs at each start: the operator's key comes from its secret, the certificate of the server's
authority from its parameter. Both are in no image.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import botocore.session

# Another one for tests.
ROOT = Path(os.environ.get("LABSWARM_ROOT", "/"))
USER = os.environ.get("LABSWARM_USER", "ubuntu")


def main() -> None:
    """Write ~/.chef/credentials and what it names."""
    ground = json.loads((ROOT / "etc/labswarm/ground.json").read_text())
    chef = ground["chef"]
    secrets = client("secretsmanager", ground["region"])
    key = secrets.get_secret_value(SecretId=ground["operator_key"])["SecretString"]

    home = ROOT / "home" / USER
    folder = home / ".chef"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # https://docs.chef.io/workstation/knife_setup/#knife-profiles
    settings = {
        "client_name": chef["user"],
        "client_key": str(folder / "operator.pem"),
        "chef_server_url": f"{chef['url']}/organizations/{chef['organization']}",
    }
    write(folder / "operator.pem", key)
    if chef["ca_parameter"]:
        ssm = client("ssm", ground["region"])
        ca = ssm.get_parameter(Name=chef["ca_parameter"])["Parameter"]["Value"]
        write(folder / "trusted_certs" / "labswarm.crt", ca)
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    write(folder / "credentials", "\n".join(["[default]", *lines, ""]))
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, USER, USER)


def client(service: str, region: str) -> Any:
    """A client of an AWS service, as the instance's role."""
    return botocore.session.get_session().create_client(service, region_name=region)


def write(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


if __name__ == "__main__":
    main()
