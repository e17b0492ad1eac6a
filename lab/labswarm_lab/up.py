"""`labswarm lab up`: start each part in its order, and remove all of them if one fails."""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from docker import DockerClient

from labswarm_emulator.emulator import READY, REGION, Settings
from labswarm_emulator.latency import FAST
from labswarm_lab import deploy, ground
from labswarm_lab import hub as lab_hub
from labswarm_lab.chef.server import LabChefServer
from labswarm_lab.chef_outage import chef_at
from labswarm_lab.down import end, remains
from labswarm_lab.images import hub_image, notebook_image, publish
from labswarm_lab.lab import Aws, Lab, Running
from labswarm_lab.nodes import (
    documents,
    emulator_machines,
    founding,
    labs_page,
    network,
    registry,
    snapshots,
)
from labswarm_lab.nodes.requirements import missing
from labswarm_lab.nodes.settings import NodesSettings
from labswarm_lab.nodes.simulated import simulated_join_secret
from labswarm_lab.plan import DEFAULT, GroupPlan, read_plan
from labswarm_lab.process import DetachedProcess
from labswarm_lab.scale import await_workers
from labswarm_node.join_secret import JoinSecret
from labswarm_operator.progress import say, step
from labswarm_operator.refusal import Failure, Refusal

LOOPBACK = "127.0.0.1"
EMULATOR_PORT, CHEF_PORT = 5060, 4545
CA, EMULATOR_CONFIG = "ca.pem", "settings.json"
# Slow enough for a machine in software emulation.
_PATIENCE_S = 300
_LOOK_S = 0.1


def bring_up(
    lab: Lab,
    *,
    workers: int,
    simulated: bool,
    idle_timeout_s: int,
    plan: Path = DEFAULT,
    latency: str = FAST.name,
) -> None:
    """Start the lab with `workers` workers, on real nodes if this machine can run them.

    The hub stops a student's server after `idle_timeout_s` seconds without activity. The groups of
    workers are those of Terraform's `plan`. The emulator is as slow as the profile `latency`.

    Raises Refusal and changes nothing if the lab is up, a port or bridge is taken, or the plan
    cannot be read. Raises the error of a part that does not start, after removing the others.
    """
    begun = time.monotonic()
    groups = read_plan(plan, lab.cluster)
    most = groups[0].group["max_size"]
    if workers > most:
        raise Refusal(f"--workers {workers}: the plan's group has at most {most} workers.")
    if lab.is_up() and _emulator_process(lab).pid is not None:
        raise Refusal(f"The lab {lab.cluster!r} is up already. End it with {lab.command('down')}.")
    lacking = [] if simulated else missing()
    real = not (simulated or lacking)
    if real:
        _check_bridge(lab)
    if remains(lab):
        with step("removing the remains of this lab after a crash"):
            end(lab)
    if real:
        _check_ports()
    for thing in lacking:
        say(f"  Using simulated nodes. Real ones need: {thing}")
    try:
        running = _climb(lab, groups, workers, idle_timeout_s, latency, real=real)
    except BaseException:
        say("  removing the parts that were started")
        end(lab)
        raise
    _report(lab, running, time.monotonic() - begun)


def _climb(
    lab: Lab,
    groups: Sequence[GroupPlan],
    workers: int,
    idle_timeout_s: int,
    latency: str,
    *,
    real: bool,
) -> Running:
    # `down` finds the lab's processes by this mark, also after this one crashed.
    # A simulated node's tools run in the emulator's own process, with its credentials.
    os.environ.update(lab.place.mark, AWS_ACCESS_KEY_ID="lab", AWS_SECRET_ACCESS_KEY="lab")  # noqa: S106
    # Made first: everything next to it belongs to this lab.
    lab.place.nodes_dir.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        building = pool.submit(deploy.build)
        if real:
            with step("making a bridge, and starting a registry on it"):
                subnet = network.raise_bridge(lab.place)
        chef = _chef_server(lab, subnet=subnet if real else None)
        settings = _nodes_settings(lab, chef, subnet if real else 0, real=real)
        if real:
            registry.start(settings)
        with step("starting the AWS emulator and the Chef Server"):
            starting = pool.submit(chef.start)
            aws = Aws(_start_emulator(lab, settings, latency))
            starting.result()
            (lab.chef_dir / CA).write_text(chef.ca_pem)
            chef.provision_admin(ground.CHEF_ADMIN, ground.lay_chef_key(aws))
        deploying = pool.submit(_deploy, building, aws)
        with step(
            "starting the hub's machine and its Swarm" if real else "starting the hub's machine"
        ):
            manager = ground.launch_hub(aws, lab.cluster)
            _await(lambda: _online(aws, manager), "The hub's machine has no SSM agent.")
            found = founding.found_swarm if real else _simulated_swarm
            secret = found(settings, manager)
            ground.write_join_secret(aws, lab.cluster, secret.token, secret.manager)
        hub, images = None, ["labswarm/notebook:lab"]
        if real:
            with step("publishing the class image, and starting the hub"):
                hub, image = _start_hub(lab, groups, settings, manager, idle_timeout_s)
                images = [image]
        with step("deploying the app (sam build, sam deploy)"):
            deploying.result()
    for group in groups:
        ground.describe_cluster(
            aws,
            group.settings,
            manager=manager,
            chef=ground.ChefGround(chef.url, chef.organization, chef.ca_pem),
            images=images,
            min_nodes=workers if group.cluster == lab.cluster else 0,
        )
        ground.make_group(aws, group)
    snapshots.start(settings, manager)
    if real:
        labs_page.start(settings, manager, lab.hub_dir, idle_timeout_s)
        documents.start(settings, manager, lab.hub_dir)
    running = Running(
        simulated=not real,
        emulator=aws.url,
        chef=chef.url,
        chef_organization=chef.organization,
        chef_ca_pem=chef.ca_pem,
        hub=hub,
        manager=manager,
        latency=latency,
    )
    lab.write_running(running)
    with step(f"starting {workers} workers through their launch hooks"):
        aws.client("autoscaling").set_desired_capacity(
            AutoScalingGroupName=ground.asg_name(lab.cluster), DesiredCapacity=workers
        )
        await_workers(lab, workers)
        if hub is not None:
            lab_hub.wait_healthy(hub, _PATIENCE_S)
    return running


def _check_bridge(lab: Lab) -> None:
    """Raises Refusal if another program's bridge has the name of the lab's."""
    if network.has_foreign_bridge(lab.place):
        raise Refusal(
            f"There is a network bridge {lab.place.bridge} that is not this lab's. "
            "Remove it, or give the lab another --name."
        )


def _check_ports() -> None:
    """Raises Refusal if a program listens to one of the lab's ports on every address.

    The lab itself listens on its own bridge's address only, so one address does not matter.
    """
    for port in (EMULATOR_PORT, CHEF_PORT, registry.PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.98.98.98", port))
            except OSError as error:
                raise Refusal(
                    f"Port {port} is in use on every address of this machine. Find the program "
                    f"with `ss -ltnp sport = :{port}`, and end it or let it listen on one address."
                ) from error


def _chef_server(lab: Lab, subnet: int | None) -> LabChefServer:
    address = LOOPBACK if subnet is None else f"10.98.{subnet}.1"
    port = _free_port() if subnet is None else CHEF_PORT
    return chef_at(lab, address, port)


def _nodes_settings(lab: Lab, chef: LabChefServer, subnet: int, *, real: bool) -> NodesSettings:
    return NodesSettings(
        place=lab.place,
        subnet=subnet,
        cluster=lab.cluster,
        region=REGION,
        aws_url=f"http://10.98.{subnet}.1:{EMULATOR_PORT}"
        if real
        else f"http://{LOOPBACK}:{_free_port()}",
        join_secret=ground.join_secret_name(lab.cluster),
        chef_url=chef.url,
        chef_organization=chef.organization,
        chef_ca_file=lab.chef_dir / CA,
        kind="namespaces" if real else "simulated",
        hub_token_file=lab.hub_dir / "manager.token",
    )


def _start_emulator(lab: Lab, settings: NodesSettings, latency: str) -> str:
    """Start the emulator; return its URL. Raises Failure if it does not answer."""
    lab.emulator_dir.mkdir(parents=True, exist_ok=True)
    config = lab.emulator_dir / EMULATOR_CONFIG
    address, port = urlsplit(settings.aws_url).netloc.split(":")
    config.write_text(Settings(address, int(port), lab.emulator_dir, latency=latency).to_json())
    settings.write()
    process = _emulator_process(lab)
    process.start()
    ready = lab.emulator_dir / READY
    _await(
        lambda: ready.exists() or process.ended(),
        f"The AWS emulator does not answer. See {lab.emulator_dir}/emulator.log.",
    )
    if process.ended():
        raise Failure(f"The AWS emulator ended at once: {process.last_words()}")
    return str(json.loads(ready.read_text())["url"])


def _emulator_process(lab: Lab) -> DetachedProcess:
    config = str(lab.emulator_dir / EMULATOR_CONFIG)
    return DetachedProcess(
        [
            *(sys.executable, "-m", "labswarm_emulator.server"),
            *("--config", config),
            *("--machines", emulator_machines.FACTORY),
        ],
        pid_file=lab.emulator_dir / "pid",
        log=lab.emulator_dir / "emulator.log",
        mark=config,
    )


def _deploy(building: Future[Path], aws: Aws) -> None:
    aws.client("s3").create_bucket(
        Bucket=deploy.BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    deploy.deploy(building.result(), aws.url)
    deploy.run_schedules(aws)


def _start_hub(
    lab: Lab,
    groups: Sequence[GroupPlan],
    settings: NodesSettings,
    manager: str,
    idle_timeout_s: int,
) -> tuple[str, str]:
    """Publish the images and start the hub; return its URL, and the class image by digest."""
    socket_path = lab.place.docker_socket(manager)
    engine = DockerClient(base_url=f"unix://{socket_path}", timeout=60)
    own, *further = groups
    prefix = f"{settings.gateway}:{registry.PORT}/labswarm"
    notebook = publish(engine, notebook_image(), f"{prefix}/notebook")
    hub_ground = lab_hub.HubGround(
        cluster=lab.cluster,
        checkout=deploy.REPOSITORY,
        class_env=deploy.REPOSITORY / ".class",
        state=lab.hub_dir,
        homes=lab.homes,
        docker_socket=socket_path,
        address=settings.manager_address,
        hub_image=publish(engine, hub_image(), f"{prefix}/hub"),
        notebook_image=notebook,
        seat=own.settings["seat"],
        overhead=own.settings["overhead"],
        groups={group.cluster.removeprefix(f"{lab.cluster}-"): group.settings for group in further},
        network=founding.NETWORK,
        idle_timeout_s=idle_timeout_s,
    )
    return lab_hub.start_hub(engine, hub_ground), notebook


def _simulated_swarm(settings: NodesSettings, manager: str) -> JoinSecret:  # noqa: ARG001
    return simulated_join_secret(settings)


def _online(aws: Aws, instance_id: str) -> bool:
    found = aws.client("ssm").describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": [instance_id]}]
    )["InstanceInformationList"]
    return any(agent["PingStatus"] == "Online" for agent in found)


def _await(is_so: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            raise Failure(f"After {_PATIENCE_S} s: {otherwise}")
        time.sleep(_LOOK_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _report(lab: Lab, running: Running, seconds: float) -> None:
    say(f"\nThe lab is up ({seconds:.0f} s).")
    if running.hub:
        say(f"The hub: {running.hub}  (log in with any name and password)")
    say("Try:")
    tries = {
        "scale 3": "start two more workers, through the group's hooks",
        **(
            {"class 6": "let six students log in, run a cell and save a file"}
            if running.hub
            else {}
        ),
        "status": "show each worker as AWS, Swarm and Chef know it",
    }
    for words, effect in tries.items():
        say(f"  {lab.command(words).strip('`'):<30} {effect}")
