"""The worlds that the contract is held against."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.worlds import DockerWorld, TwinWorld, World

from labswarm_lab.nodes.requirements import missing


@pytest.fixture(scope="session")
def docker_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One real Swarm for all tests; each asks for workers of its own."""
    lacking = missing()
    if lacking:
        pytest.skip(f"no real Swarm here, missing: {'; '.join(map(str, lacking))}")
    root: Path = tmp_path_factory.mktemp("swarm")
    world = DockerWorld(root)
    yield world
    world.close()


@pytest.fixture(params=["twin", pytest.param("docker", marks=pytest.mark.swarm)])
def world(request: pytest.FixtureRequest) -> World:
    """A Swarm to be asked."""
    if request.param == "twin":
        twin: World = TwinWorld()
        return twin
    found: World = request.getfixturevalue("docker_world")
    return found
