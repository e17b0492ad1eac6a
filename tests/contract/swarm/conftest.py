"""The rigs that the contract is held against."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.swarm_rigs import DockerSwarmRig, SwarmRig, TwinSwarmRig

from labswarm_lab.nodes.requirements import missing


@pytest.fixture(scope="session")
def docker_swarm_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwarmRig]:
    """One real Swarm for all tests; each asks for workers of its own."""
    lacking = missing()
    if lacking:
        pytest.skip(f"no real Swarm here, missing: {'; '.join(map(str, lacking))}")
    root: Path = tmp_path_factory.mktemp("swarm")
    rig = DockerSwarmRig(root)
    yield rig
    rig.close()


@pytest.fixture(params=["twin", pytest.param("docker", marks=pytest.mark.swarm)])
def rig(request: pytest.FixtureRequest) -> SwarmRig:
    """A Swarm to be asked."""
    if request.param == "twin":
        twin: SwarmRig = TwinSwarmRig()
        return twin
    found: SwarmRig = request.getfixturevalue("docker_swarm_rig")
    return found
