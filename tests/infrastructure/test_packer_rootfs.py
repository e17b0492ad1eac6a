"""The images' scripts, all of them, in a root folder of the real Ubuntu.

Packages of Ubuntu and of Python's index are real. The packages that AWS and Cinc publish elsewhere
are served on loopback as small packages of the same names, which shows that the scripts fetch,
check and install them, and not that these packages work.
"""

import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MIRROR = os.environ.get("UBUNTU_MIRROR")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CA = Path("/etc/ssl/certs/ca-certificates.crt")
IMAGES = ("chef-client", "chef-server", "chef-workstation")


def scripts(image: str) -> list[str]:
    """The scripts of an image's build, with their arguments, from scripts/ on."""
    build = (REPOSITORY / f"packer/{image}/{image}.pkr.hcl").read_text()
    return re.findall(r'^ +"(\.[./a-z-]+\.sh(?: [a-z-]+)?)",$', build, re.MULTILINE)


pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        not MIRROR
        or os.geteuid() != 0
        or not all(map(shutil.which, ("mmdebstrap", "unshare", "gpg"))),
        reason="needs UBUNTU_MIRROR (an archive's URL), root, unshare, gpg and mmdebstrap",
    ),
]

AGENT_UNIT = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"

# A run of chef-client against a server that is down: it logs to its output and its log_location.
CHEF_CLIENT = r"""#!/bin/sh
if [ "$1" = --version ]; then echo Cinc Client: 18.7.10; exit; fi
log=$(sed -n 's/^log_location "\(.*\)"$/\1/p' "$3")
echo "[2026-11-30T21:04:36+00:00] FATAL: Errno::ECONNREFUSED: Connection refused" | tee -a "$log"
exit 1
"""

# `knife config show` of Cinc Workstation, as far as verify.sh asks it; the real loader reads the
# same files in test_packer_chef_programs.py.
KNIFE = """#!/usr/bin/python3
import json, pathlib, tomllib
folder = pathlib.Path.home() / ".cinc"
read = tomllib.loads((folder / "credentials").read_text())["default"]
read["node_name"] = read.pop("client_name")
print(json.dumps({**read, "trusted_certs_dir": str(folder / "trusted_certs")}))
"""


class Published:
    """The packages of AWS and Cinc, in a folder, by the paths that the scripts ask for."""

    def __init__(self, folder: Path, ssm_agent: str = "3.3.2746.0") -> None:
        self.folder = folder / "www"
        (self.folder / "assets").mkdir(parents=True)
        self.asked: list[str] = []
        files = {"lib/systemd/system/amazon-ssm-agent.service": AGENT_UNIT}
        self.package("amazon-ssm-agent", ssm_agent, files)
        agent = self.package("amazon-cloudwatch-agent", "1.300064.0", {})
        self.package("cinc", "18.7.10-1", {"opt/cinc/bin/cinc-client": CHEF_CLIENT})
        ctl = {
            "opt/cinc-project/bin/cinc-server-ctl": "#!/bin/sh\n",
            "opt/cinc-project/embedded/bin/initdb": "#!/bin/sh\n",
        }
        self.package("cinc-server", "18.1.0-1", ctl)
        self.package("cinc-workstation", "18.2.0-1", {"usr/bin/knife": KNIFE})
        self.package("amazon-efs-utils", "2.4.0", {"sbin/mount.efs": "#!/bin/sh\n"})

        latest = self.folder / "ubuntu/amd64/latest"
        latest.mkdir(parents=True)
        agent.rename(latest / agent.name)
        gpg = ["gpg", "--batch", "--quiet", "--homedir", str(folder)]
        folder.chmod(0o700)
        key = ["--passphrase", "", "--quick-generate-key", "agent@labswarm.invalid", "rsa2048"]
        subprocess.run([*gpg, *key], check=True)
        subprocess.run([*gpg, "--detach-sign", latest / agent.name], check=True)
        exported = self.folder / "assets/amazon-cloudwatch-agent.gpg"
        subprocess.run([*gpg, "--output", exported, "--export"], check=True)
        listed = subprocess.run(
            [*gpg, "--with-colons", "--fingerprint"], check=True, capture_output=True, text=True
        ).stdout
        self.fingerprint = next(
            line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr")
        )

    def package(self, name: str, version: str, files: dict[str, str]) -> Path:
        tree = self.folder.parent / "trees" / name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
            "Maintainer: labswarm\nDescription: stands for the real one\n"
        )
        for path, text in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
            (tree / path).chmod(0o755)
        made = self.folder / f"{name}.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", tree, made],
            check=True,
            capture_output=True,
        )
        return made

    def serve(self) -> "http.server.ThreadingHTTPServer":
        published = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *words: object) -> None:
                super().__init__(*words, directory=str(published.folder))  # type: ignore[arg-type]

            def do_GET(self) -> None:
                published.asked.append(self.path)
                url = urlsplit(self.path)
                if not url.path.endswith("/metadata"):
                    super().do_GET()
                elif parse_qs(url.query)["pv"] == ["22.04"]:
                    host, port = cast(tuple[str, int], self.server.server_address)[:2]
                    package = published.folder / f"{url.path.split('/')[2]}.deb"
                    about = {
                        "url": f"http://{host!s}:{port}/{package.name}",
                        "sha256": hashlib.sha256(package.read_bytes()).hexdigest(),
                        "version": "18",
                    }
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(json.dumps(about).encode())
                else:
                    self.send_error(404)  # not built for this Ubuntu yet

            def log_message(self, *words: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        url = f"http://127.0.0.1:{server.server_port}"
        (self.folder / "efs.sh").write_text(
            f'[ "$1" = --install ] && curl -fsSo /root/efs.deb {url}/amazon-efs-utils.deb'
            " && apt-get install -y /root/efs.deb && rm /root/efs.deb\n"
        )
        self.environment = {
            "SSM_AGENT_URL": f"{url}/amazon-ssm-agent.deb",
            "CLOUDWATCH_URL": url,
            "CLOUDWATCH_KEY": self.fingerprint,
            "EFS_INSTALLER_URL": f"{url}/efs.sh",
            "CHEF_DOWNLOADS": url,
        }
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server


class Ubuntu:
    """Ubuntu in a folder, without its services."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Thrown away after the test.
        sources = [
            f"deb [trusted=yes] {MIRROR} {suite} main universe"
            for suite in ("noble", "noble-updates")
        ]
        made = subprocess.run(
            [
                *("mmdebstrap", "--quiet", "--variant=minbase"),
                *("--include=apt,systemd,python3,ca-certificates", "noble", str(root), *sources),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr[-2000:]
        policy = root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(Path("/etc") / name, root / "etc" / name)
        shutil.copy(CA, root / "srv/ca.pem")
        for name in ("packer", "layers", "node", "hub", "lab", "cookbooks"):
            shutil.copytree(
                REPOSITORY / name,
                root / "build" / name,
                symlinks=True,
                ignore=shutil.ignore_patterns("node_modules", "__pycache__"),
            )
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(REPOSITORY / name, root / "build" / name)

    def run(self, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        # Ubuntu in the folder trusts the authorities that this machine trusts.
        trust = {name: "/srv/ca.pem" for name, value in os.environ.items() if value == str(CA)}
        inside = (
            'set -e; cd "$0"; mount --rbind /dev dev; mount --bind /proc proc;'
            'exec chroot . sh -c "cd /build/packer/scripts && $1"'
        )
        return subprocess.run(
            [
                *("unshare", "--mount", "--propagation", "private"),
                *("bash", "-c", inside, str(self.root), f"./{command}"),
            ],
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": PATH,
                "HOME": "/root",
                "CHEF_FLAVOUR": "cinc",
                "CHEF_VERSION": "18",
                "COMMIT": "0a1b2c3",
                "IMAGE": "chef-client",
                "REGION": "eu-west-1",
                **trust,
                **environment,
            },
        )


@pytest.fixture(scope="module")
def ubuntu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ubuntu]:
    made = Ubuntu(tmp_path_factory.mktemp("ubuntu") / "root")
    yield made
    shutil.rmtree(made.root)


@pytest.mark.parametrize("image", IMAGES)
def test_the_scripts_make_an_image_that_verifies_and_a_second_run_is_the_same(
    image: str, ubuntu: Ubuntu, tmp_path: Path
) -> None:
    published = Published(tmp_path)
    with published.serve() as server:
        printed = []
        for _ in range(2):
            asked = len(published.asked)
            for script in scripts(image):
                done = ubuntu.run(script, IMAGE=image, **published.environment)
                assert done.returncode == 0, f"{script}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
            printed.append(json.loads((ubuntu.root / "etc/labswarm/image.json").read_text()))
        assert published.asked[asked:] == []
        server.shutdown()
    assert printed[0] == printed[1]
    assert {name: printed[0][name] for name in ("image", "commit", "ubuntu")} == {
        "image": image,
        "commit": "0a1b2c3",
        "ubuntu": "24.04",
    }
    assert printed[0]["versions"]["amazon-ssm-agent"] == "3.3.2746.0"
    assert image.replace("chef", "cinc").removesuffix("-client") in printed[0]["versions"]


def test_an_agent_that_is_too_old_or_not_signed_is_refused(ubuntu: Ubuntu, tmp_path: Path) -> None:
    ubuntu.run("base.sh")
    for agent in ("amazon-ssm-agent", "amazon-cloudwatch-agent"):
        subprocess.run(["chroot", ubuntu.root, "dpkg", "--purge", agent], check=True)
    older = Published(tmp_path / "older", ssm_agent="3.3.2745.9")
    with older.serve() as server:
        refused = ubuntu.run("aws-agents.sh", **older.environment)
        assert refused.returncode == 1
        assert "3.3.2745.9; the app's documents want 3.3.2746 or later" in refused.stderr
        server.shutdown()
    newer = Published(tmp_path / "newer")
    with newer.serve() as server:
        unsigned = {**newer.environment, "CLOUDWATCH_KEY": "0" * 40}
        refused = ubuntu.run("aws-agents.sh", **unsigned)
        assert refused.returncode == 1
        assert "not signed" in refused.stderr
        server.shutdown()
