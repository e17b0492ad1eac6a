"""The image of hub and workers for another builder, and the page about other providers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKER = REPOSITORY / "packer"
FILE = PACKER / "chef-client-qemu/chef-client-qemu.pkr.hcl"
PAGE = REPOSITORY / "docs/explanation/other-providers.md"
OF_AWS = ["aws-agents.sh", "efs.sh"]

LATER = {
    "plugins": r"(?ms)^packer \{.*?^\}\n",
    "answers over HTTP": r"(?ms)^  http_content = \{.*?^  \}\n",
}
"""Settings that Debian's Packer does not know yet, each once; they are taken out of a copy."""

needs_packer = pytest.mark.skipif(
    not shutil.which("packer") or not shutil.which("ssh-keygen"),
    reason="needs packer and ssh-keygen",
)


def validated(folder: Path, **values: str) -> "subprocess.CompletedProcess[str]":
    copy = folder / "image"
    copy.mkdir()
    text = FILE.read_text()
    for what, pattern in LATER.items():
        text, found = re.subn(pattern, "", text)
        assert found == 1, what
    (copy / FILE.name).write_text(text)
    key = folder / "key"
    # The form that Debian's Packer reads.
    keygen: list[str | Path] = ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", key]
    subprocess.run(keygen, check=True)
    given = {
        "public_key": key.with_suffix(".pub").read_text().strip(),
        "private_key_file": str(key),
        # Ubuntu's list of checksums is on the net.
        "image_checksum": f"sha256:{'0' * 64}",
        **values,
    }
    options = [word for item in given.items() for word in ("-var", "=".join(item))]
    return subprocess.run(
        ["packer", "validate", *options, copy], capture_output=True, text=True, check=False
    )


@needs_packer
def test_the_image_for_qemu_is_valid(tmp_path: Path) -> None:
    done = validated(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_packer
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("accelerator", "xen", "kvm or tcg"),
        ("public_key", "/root/.ssh/id_rsa.pub", "content of an id_ed25519.pub"),
        ("volume_gib", "5", "at least 10"),
        ("ubuntu", "20.04", "24.04 (current LTS)"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    done = validated(tmp_path, **{name: value})
    assert done.returncode != 0
    assert sentence in " ".join((done.stdout + done.stderr).split())


@needs_packer
def test_the_file_is_formatted() -> None:
    done = subprocess.run(
        ["packer", "fmt", "-check", "-diff", FILE.parent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def scripts(file: Path) -> list[str]:
    return re.findall(r'^ +"([./a-z-]+\.sh(?: \w+)?)",$', file.read_text(), re.MULTILINE)


def test_it_runs_the_scripts_of_the_image_for_aws_less_those_of_aws() -> None:
    for_aws = scripts(PACKER / "chef-client/chef-client.pkr.hcl")
    assert {f"./{name}" for name in OF_AWS} <= set(for_aws)
    assert scripts(FILE) == [one for one in for_aws if one.removeprefix("./") not in OF_AWS]
    assert "PROVIDER=none" in FILE.read_text()
    # verify.sh looks for the packages of the two scripts on AWS only.
    verify = (PACKER / "chef-client/verify.sh").read_text()
    (of_aws,) = re.findall(
        r'^if \[ "\$\{PROVIDER:-aws\}" = aws \]; then\n(.*?)^fi$', verify, re.M | re.S
    )
    for what in ("ssm_agent", "CloudWatch agent", "amazon-efs-utils", "NFS"):
        assert what in of_aws
        assert what not in verify.replace(of_aws, "").partition("verified ")[0]


def test_both_images_are_made_of_the_same_paths() -> None:
    link = FILE.parent / "sources"
    assert link.is_symlink()
    assert link.resolve() == (PACKER / "chef-client/sources").resolve()


def test_the_page_names_seams_and_paths_that_exist() -> None:
    page = PAGE.read_text()
    table = page.partition("\n## Parts that change\n")[2].partition("\n## ")[0]
    seams = [row.split("|")[4] for row in table.splitlines() if row.startswith("| ")][2:]
    assert len(seams) >= 10
    code = [
        file.read_text()
        for folder in ("layers", "node", "hub")
        for file in (REPOSITORY / folder).rglob("*.py")
    ]
    for name in re.findall(r"`([^`]+)`", " ".join(seams)):
        if name[0].isupper():
            wanted = re.compile(rf"^class {name}\((\w+, )?Protocol\)", re.MULTILINE)
            assert any(wanted.search(text) for text in code), name
        else:
            assert list(REPOSITORY.glob(name.rstrip("/"))), name
    assert (REPOSITORY / "layers/labswarm/labswarm/aws").is_dir()
