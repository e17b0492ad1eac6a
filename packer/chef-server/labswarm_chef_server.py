#!/opt/labswarm-aws/bin/python
"""Sets this machine's Chef Server up as /etc/labswarm/ground.json says.

Runs at each start and once a day. It repairs each part that differs: the data volume, the
certificate, the server's configuration, the organization, and the two users, who have one key each.
A second run changes nothing.

The private half of the admin's key is in KMS and stays there. The keys that the server makes by
itself and nobody should use (one for each new user, one for the organization's validator) are
thrown away.
"""

import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import botocore.session

# Another one for tests.
ROOT = Path(os.environ.get("LABSWARM_ROOT", "/"))
GROUND = ROOT / "etc/labswarm/ground.json"
DATA = ROOT / "srv/chef"
TLS = DATA / "tls"
STATE = ROOT / "var/lib/labswarm-chef-server"

VOLUME_S = 900.0
"""How long AWS may take to attach the data volume, in seconds."""
READY_S = 180.0
"""How long the server may take to answer after it was configured, in seconds."""
CA_DAYS = 3650
CERTIFICATE_DAYS = 397
RENEW_S = 60 * 86400
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


class Flavour(NamedTuple):
    """How Chef's and Cinc's servers differ: their command, folders, configuration, package."""

    ctl: str
    project: str
    config: str
    package: str


CINC = Flavour("cinc-server-ctl", "cinc-project", "cinc-server.rb", "cinc-server")
CHEF = Flavour("chef-server-ctl", "opscode", "chef-server.rb", "chef-server-core")


def main() -> None:
    """Put everything right, in the order in which one thing needs the other."""
    ground = json.loads(GROUND.read_text())
    flavour = CINC if (ROOT / "opt" / CINC.project).exists() else CHEF
    data_volume(ground["data_volume_id"], flavour)
    renewed = certificate(ground["tls"], ground["region"])
    configure(ground["tls"]["host_name"], flavour, renewed)
    users(ground, flavour)
    say(f"the Chef Server is ready at {ground['chef']['url']}")


def data_volume(volume_id: str, flavour: Flavour) -> None:
    """Mount the volume, made usable if it is new, with the server's state and secrets on it."""
    device = (
        ROOT / "dev/disk/by-id" / ("nvme-Amazon_Elastic_Block_Store_" + volume_id.replace("-", ""))
    )
    deadline = time.monotonic() + VOLUME_S
    while not device.exists():
        if time.monotonic() > deadline:
            die(f"the data volume {volume_id} is not attached ({device} is missing)")
        time.sleep(2)
    # Read first: an unreadable object must not count as empty.
    with device.open("rb") as readable:
        readable.read(4096)
    if run("blkid", "--probe", device, check=False).returncode == 2:
        say(f"{volume_id} is new: making a file system on it")
        run("mkfs.ext4", "-q", "-L", "chef", device)

    # In fstab, so that they are there before the server's own processes at the next start.
    mounts = [(str(device), DATA, "ext4 defaults,nofail,x-systemd.device-timeout=120s")]
    for name in ("etc", "var/opt"):
        source, target = DATA / Path(name).name, ROOT / name / flavour.project
        bind = f"none bind,nofail,x-systemd.requires-mounts-for={DATA}"
        mounts.append((str(source), target, bind))
    fstab = ROOT / "etc/fstab"
    lines = fstab.read_text().splitlines() if fstab.exists() else []
    for what, where, how in mounts:
        line = f"{what} {where} {how} 0 0"
        if line not in lines:
            lines.append(line)
            replace(fstab, "\n".join(lines) + "\n", mode=0o644)
        where.mkdir(parents=True, exist_ok=True)
        if run("mountpoint", "-q", where, check=False).returncode:
            run("mount", where)
        for folder in (DATA / "etc", DATA / "opt") if where == DATA else ():
            folder.mkdir(mode=0o755, exist_ok=True)
            folder.chmod(0o755)
    wait = "".join(f"RequiresMountsFor={where}\n" for _, where, _ in mounts)
    drop_in = ROOT / "etc/systemd/system/private_chef-runsvdir-start.service.d/data.conf"
    if replace(drop_in, f"[Unit]\n{wait}", mode=0o644):
        run("systemctl", "daemon-reload")


def certificate(tls: Mapping[str, Any], region: str) -> bool:
    """Have a certificate for the host's name that lasts; whether it is another one than before.

    Its files are `server.pem` and `server.key`.
    """
    TLS.mkdir(mode=0o700, exist_ok=True)
    before = digest(TLS / "server.pem")
    if tls["ca_parameter"] is None:
        lets_encrypt(tls["host_name"])
    else:
        own_authority(tls["host_name"])
        # Read by Terraform, and given to every node.
        client("ssm", region).put_parameter(
            Name=tls["ca_parameter"],
            Value=(TLS / "ca.pem").read_text(),
            Type="String",
            Overwrite=True,
        )
    return digest(TLS / "server.pem") != before


def own_authority(host_name: str) -> None:
    """Certify by an authority of our own, which is made if there is none."""
    ca, ca_key = TLS / "ca.pem", TLS / "ca.key"
    if not (ca.exists() and ca_key.exists()):
        say("making a certificate authority")
        run(
            *("openssl", "req", "-x509", *NEW_KEY, "-days", CA_DAYS),
            *("-subj", "/CN=labswarm Chef Server authority"),
            *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", ca_key, "-out", ca),
        )
    server = TLS / "server.pem"
    good = server.exists() and not any(
        run("openssl", *check, check=False).returncode
        for check in (
            ("verify", "-CAfile", ca, "-verify_hostname", host_name, server),
            ("x509", "-in", server, "-noout", "-checkend", RENEW_S),
        )
    )
    if good:
        return
    say(f"making a certificate for {host_name}")
    with tempfile.TemporaryDirectory(dir=TLS) as folder:
        request, key, made = (
            Path(folder, name) for name in ("request", "server.key", "server.pem")
        )
        run(
            *("openssl", "req", "-new", *NEW_KEY, "-keyout", key),
            *("-subj", f"/CN={host_name}", "-addext", f"subjectAltName=DNS:{host_name}"),
            *("-addext", "extendedKeyUsage=serverAuth", "-out", request),
        )
        run(
            *("openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key),
            *("-days", CERTIFICATE_DAYS, "-copy_extensions", "copy", "-out", made),
        )
        key.replace(TLS / "server.key")
        made.replace(server)


def lets_encrypt(host_name: str) -> None:
    """Have Let's Encrypt certify a public name, shown to be ours by a record in its zone."""
    folder = TLS / "letsencrypt"
    run(
        *("certbot", "certonly", "--non-interactive", "--agree-tos"),
        *("--register-unsafely-without-email", "--dns-route53", "--keep-until-expiring"),
        *("--config-dir", folder, "--work-dir", folder / "work", "--logs-dir", folder / "logs"),
        *("--cert-name", host_name, "--domain", host_name),
    )
    for name, made in (("server.pem", "fullchain.pem"), ("server.key", "privkey.pem")):
        replace(TLS / name, (folder / "live" / host_name / made).read_text())


def configure(host_name: str, flavour: Flavour, renewed: bool) -> None:
    """Write the server's configuration; have it configured, upgraded or reloaded if need be."""
    config = (
        f'api_fqdn "{host_name}"\n'
        f'nginx["ssl_certificate"] = "{TLS}/server.pem"\n'
        f'nginx["ssl_certificate_key"] = "{TLS}/server.key"\n'
        'nginx["ssl_protocols"] = "TLSv1.2 TLSv1.3"\n'
        # Or a search shows a node what it may not read: see labswarm_chef_isolate.py.
        'opscode_erchef["strict_search_result_acls"] = true\n'
    )
    version = run("dpkg-query", "-W", "-f", "${Version}", flavour.package).stdout
    changed = replace(ROOT / "etc" / flavour.project / flavour.config, config)

    # The volume may come from an instance with an older server; this instance may be a new one.
    of_data, of_machine = DATA / "version", STATE / "configured"
    known = of_data.read_text() if of_data.exists() else version
    configured = of_machine.read_text() if of_machine.exists() else None
    if known != version:
        say(f"upgrading the data of version {known} to {version}")
        ctl(flavour, "upgrade")
        ctl(flavour, "start")
    elif changed or configured != version + config:
        say("configuring the server")
        ctl(flavour, "reconfigure")
    elif renewed:
        ctl(flavour, "restart", "nginx")
    replace(of_data, version)
    replace(of_machine, version + config)

    deadline = time.monotonic() + READY_S
    while ctl(flavour, "user-list", check=False).returncode:
        if time.monotonic() > deadline:
            die(f"the server does not answer; see `{flavour.ctl} status`")
        time.sleep(2)


def users(ground: Mapping[str, Any], flavour: Flavour) -> None:
    """Have the organization, the app's user with KMS's key, and an operator's if one is wanted."""
    chef = ground["chef"]
    organization = chef["organization"]
    if ctl(flavour, "org-show", organization, check=False).returncode:
        say(f"making the organization {organization}")
        # It prints the validator's private key.
        ctl(flavour, "org-create", organization, organization)
    validator = f"{organization}-validator"
    for key in keys(ctl(flavour, "list-client-keys", organization, validator, check=False).stdout):
        # With it anyone could register clients.
        ctl(flavour, "delete-client-key", organization, validator, key)

    kms = client("kms", ground["region"])
    admin = pem(kms.get_public_key(KeyId=chef["admin_key_id"])["PublicKey"])
    user(flavour, organization, chef["admin"], admin)
    if ground.get("operator_key"):
        user(flavour, organization, "operator", operator_key(ground))


def user(flavour: Flavour, organization: str, name: str, public_key: str) -> None:
    """Have a user who administers the organization, with this public key and no other."""
    if ctl(flavour, "user-show", name, check=False).returncode:
        say(f"making the user {name}")
        # The server wants a password, which nobody needs to know, and makes a key of its own,
        # which it prints here and nowhere else.
        ctl(
            *(flavour, "user-create", name, "labswarm", name, f"{name}@labswarm.invalid"),
            secrets.token_urlsafe(24),
        )
    wanted = "k" + hashlib.sha256(public_key.encode()).hexdigest()[:16]
    found = keys(ctl(flavour, "list-user-keys", name).stdout)
    if wanted not in found:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(public_key)
            file.flush()
            ctl(
                *(flavour, "add-user-key", name),
                *("--public-key-path", file.name, "--key-name", wanted),
            )
    for key in found:
        if key != wanted:
            ctl(flavour, "delete-user-key", name, key)

    of_user = ctl(flavour, "user-show", name, "--with-orgs").stdout
    if organization not in of_user.partition("organizations:")[2].split():
        ctl(flavour, "org-user-add", organization, name, "--admin")


def operator_key(ground: Mapping[str, Any]) -> str:
    """The public half of the operator's key, whose private half is left in its secret once.

    To have another key, remove the public half's file.
    """
    public = DATA / "operator.pem"
    if not public.exists():
        say("making the operator's key")
        private = run("openssl", "genrsa", "-traditional", "2048").stdout
        client("secretsmanager", ground["region"]).put_secret_value(
            SecretId=ground["operator_key"], SecretString=private
        )
        replace(public, run("openssl", "rsa", "-pubout", input=private).stdout)
    return public.read_text()


def keys(listed: str) -> list[str]:
    """The names in an answer of list-user-keys or list-client-keys; older servers say key_name."""
    return re.findall(r"^(?:key_)?name: +(\S+)$", listed, re.MULTILINE)


def pem(der: bytes) -> str:
    """A public key as KMS gives it, as Chef takes it."""
    return run("openssl", "pkey", "-pubin", "-inform", "DER", input=der).stdout


def ctl(
    flavour: Flavour, command: str, *words: object, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    """Run the server's own command. Its output may be a key: it is never shown."""
    # The builder of the image accepted the licence by giving its id; Cinc has none.
    accepted = {**os.environ, "CHEF_LICENSE": "accept"} if flavour == CHEF else None
    program = ROOT / "opt" / flavour.project / "bin" / flavour.ctl
    return run(program, command, *words, check=check, env=accepted, shown=command)


def run(
    *words: object,
    check: bool = True,
    input: str | bytes | None = None,  # as subprocess has it
    env: Mapping[str, str] | None = None,
    shown: str | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a program; end this one, naming it, when it fails and `check` is true."""
    data = input.encode() if isinstance(input, str) else input
    done = subprocess.run(
        [str(word) for word in words], input=data or b"", capture_output=True, env=env, check=False
    )
    ended = subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )
    if check and ended.returncode:
        last = " / ".join(ended.stderr.strip().splitlines()[-5:])
        die(f"{Path(str(words[0])).name} {shown or words[1]} ended with {ended.returncode}: {last}")
    return ended


def client(service: str, region: str) -> Any:
    """A client of an AWS service, as the instance's role."""
    return botocore.session.get_session().create_client(service, region_name=region)


def replace(path: Path, text: str, mode: int = 0o600) -> bool:
    """Write a file whole or not at all; whether that changed it."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.touch(mode=0o600)
    new.write_text(text)
    new.chmod(mode)
    new.replace(path)
    return True


def digest(path: Path) -> str | None:
    """A file's identity; None without a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def say(what: str) -> None:
    """Write to the journal."""
    print(f"labswarm-chef-server: {what}", flush=True)


def die(why: str) -> NoReturn:
    """Write to the journal, and exit with 1."""
    sys.exit(f"labswarm-chef-server: {why}")


if __name__ == "__main__":
    main()
