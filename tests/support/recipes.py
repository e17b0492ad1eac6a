"""The work of a worker's run list and its image's scripts, by name."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COOKBOOKS = REPOSITORY / "cookbooks"


def recipes_of(name: str) -> Iterator[Path]:
    """The files of a recipe and of all that it includes."""
    cookbook, _, recipe = name.partition("::")
    file = COOKBOOKS / cookbook / f"recipes/{recipe or 'default'}.rb"
    yield file
    for included in re.findall(r"^include_recipe '(.+)'", file.read_text(), re.MULTILINE):
        yield from recipes_of(included)


def declared(ruby: str) -> list[str]:
    """The resources that a recipe declares, as Chef names them; ours by their type alone."""
    found: list[str] = []
    blocks: list[str] = []
    each: list[str] = []
    for line in (text.strip() for text in ruby.splitlines()):
        if line == "end":
            blocks.pop()
        elif loop := re.fullmatch(r"%w\((.+)\)\.each do \|name\|", line):
            blocks.append("each")
            each = loop[1].split()
        elif re.match(r"(if|unless) ", line):
            blocks.append("if")
        elif "resource" not in blocks and (
            resource := re.fullmatch(r"(?!include_recipe|raise)([a-z_]+) ([^=].*?)( do)?", line)
        ):
            kind, name, opens = resource.groups()
            names = each if name == "name" else [re.sub(r"node\[.*\['(\w+)'\]|'(.+)'", _name, name)]
            ours = kind.startswith("labswarm_")
            found += [kind] if ours else [f"{kind}[{name}]" for name in names]
            if opens:
                blocks.append("resource")
    assert blocks == [], ruby
    return found


def _name(match: re.Match[str]) -> str:
    return match[1] or match[2]


def run_list() -> list[str]:
    role = json.loads((COOKBOOKS / "labswarm_worker/roles/worker.json").read_text())
    files = [
        file
        for item in role["run_list"]
        for file in recipes_of(item.removeprefix("recipe[").removesuffix("]"))
    ]
    return [resource for file in files for resource in declared(file.read_text())]


def scripts() -> list[str]:
    """The scripts of the workers' image."""
    build = (REPOSITORY / "packer/chef-client/chef-client.pkr.hcl").read_text()
    return re.findall(r'^ +"[./a-z-]*?([a-z-]+\.sh)\b.*",$', build, re.MULTILINE)
