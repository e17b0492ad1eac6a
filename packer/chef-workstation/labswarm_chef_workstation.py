#!/opt/labswarm-aws/bin/python
"""Connect the knife of user `ubuntu` to the Chef Server that /etc/labswarm/ground.json names.

Runs at each start. The operator's key comes from its secret, the certificate of the server's
authority from its parameter. Neither is in an image.

`--sample HOME` writes the same files for a made-up server into HOME, without AWS: the image's
verify.sh lets the real knife read them.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session

# Tests set another root and user.
ROOT = Path(os.environ.get("LABSWARM_ROOT", "/"))
USER = os.environ.get("LABSWARM_USER", "ubuntu")

FOLDER = ".chef"
"""Chef's knife reads this folder in the user's home."""
ALIAS = ".cinc"
"""Cinc's knife reads this one, but `knife config show` and `use` look for .chef in Cinc too:
https://gitlab.com/cinc-project/distribution/workstation/-/issues/33"""


class Knife(NamedTuple):
    """knife's settings: the server with its organization, the user, the user's key (PEM).

    `ca` is the certificate of the server's own authority; None for a public one.
    """

    url: str
    user: str
    key: str
    ca: str | None


SAMPLE = Knife("https://chef.sample.invalid/organizations/sample", "operator", "a key\n", "a CA\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the folder of the user `ubuntu`, or a sample of it."""
    parser = argparse.ArgumentParser(prog="labswarm-chef-workstation", description=__doc__)
    parser.add_argument("--sample", type=Path, metavar="HOME", help="write a sample into HOME")
    sample = parser.parse_args(arguments).sample
    if sample is not None:
        write_settings(sample, SAMPLE)
        return
    home = ROOT / "home" / USER
    folder = write_settings(home, read_ground())
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, USER, USER)
    os.chown(home / ALIAS, folder.stat().st_uid, folder.stat().st_gid, follow_symlinks=False)


def read_ground() -> Knife:
    """Return the connection that ground.json describes, with the key and the CA from AWS."""
    ground = json.loads((ROOT / "etc/labswarm/ground.json").read_text())
    chef, region = ground["chef"], ground["region"]
    secret = client("secretsmanager", region).get_secret_value(SecretId=ground["operator_key"])
    ca = None
    if chef["ca_parameter"]:
        parameter = client("ssm", region).get_parameter(Name=chef["ca_parameter"])
        ca = parameter["Parameter"]["Value"]
    url = f"{chef['url']}/organizations/{chef['organization']}"
    return Knife(url, chef["user"], secret["SecretString"], ca)


def write_settings(home: Path, knife: Knife) -> Path:
    """Write knife's credentials and the files that they name; return their folder.

    The format is https://docs.chef.io/workstation/knife_setup/#knife-profiles. Exits with a
    message when the other distribution's folder is in the way.
    """
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    alias = home / ALIAS
    if not alias.is_symlink():
        if alias.exists():
            sys.exit(
                f"labswarm-chef-workstation: {alias} has to be a link to {FOLDER}, so that Chef's "
                f"and Cinc's knife read the same files. Move what is in it to {folder}, remove it, "
                "and start the service again."
            )
        alias.symlink_to(FOLDER)
    settings = {
        "client_name": knife.user,
        "client_key": str(folder / "operator.pem"),
        "chef_server_url": knife.url,
    }
    write(folder / "operator.pem", knife.key)
    if knife.ca is not None:
        write(folder / "trusted_certs" / "labswarm.crt", knife.ca)
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    write(folder / "credentials", "\n".join(["[default]", *lines, ""]))
    return folder


def client(service: str, region: str) -> Any:
    """Return a client of an AWS service, as the instance's role."""
    return botocore.session.get_session().create_client(service, region_name=region)


def write(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


if __name__ == "__main__":
    main()
