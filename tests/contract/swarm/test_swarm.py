"""The nodes' tools rely on this, of Docker Swarm and of its twin alike."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.swarm_rigs import CLUSTER, HUB, MEMORY, SwarmRig, eventually

from labswarm.errors import Gone, Permanent, Transient
from labswarm_node import membership, worker
from labswarm_node.join_secret import JoinSecret
from labswarm_node.swarm import Engine, Server, StudentService, StudentTask, SwarmNode

SOON_S = 20


def joined(rig: SwarmRig) -> tuple[str, Engine, SwarmNode]:
    """A new worker, a ready member."""
    instance_id, engine, address = rig.worker()
    membership.join(engine, rig.secret, address)
    eventually(
        lambda: node_of(rig, instance_id).state == "ready",
        lambda: node_of(rig, instance_id),
        SOON_S,
    )
    return instance_id, engine, node_of(rig, instance_id)


def node_of(rig: SwarmRig, instance_id: str) -> SwarmNode:
    node = worker.find(rig.swarm, instance_id)
    assert node is not None, f"{instance_id} is not in {rig.swarm.nodes()}"
    return node


def await_down(rig: SwarmRig, node_id: str) -> None:
    def states() -> dict[str, str]:
        return {node.node_id: node.state for node in rig.swarm.nodes()}

    eventually(lambda: states()[node_id] == "down", states, SOON_S)


def test_a_new_member_is_paused_and_known_by_its_engine_label(rig: SwarmRig) -> None:
    instance_id, engine, node = joined(rig)
    assert node.availability == "pause"
    assert (node.engine_label, node.node_label, node.role) == (instance_id, None, "worker")
    assert (node.memory_bytes, node.nano_cpus) == (MEMORY, 10**9)
    assert engine.membership().node_id == node.node_id


def test_a_node_is_of_its_engine_s_cluster_from_the_first_and_labelled_when_it_opens(
    rig: SwarmRig,
) -> None:
    instance_id, _, node = joined(rig)
    assert (node.engine_cluster, node.node_cluster, node.cluster) == (CLUSTER, None, CLUSTER)
    worker.activate(rig.swarm, instance_id, CLUSTER)
    assert node_of(rig, instance_id).node_cluster == CLUSTER
    for act in (worker.pause, worker.activate):
        act(rig.swarm, instance_id)
        assert node_of(rig, instance_id).node_cluster == CLUSTER


def test_a_node_is_labelled_as_its_engine_says_when_nobody_names_a_cluster(rig: SwarmRig) -> None:
    instance_id, _, _ = joined(rig)
    worker.pause(rig.swarm, instance_id)
    assert node_of(rig, instance_id).node_cluster == CLUSTER


def test_a_node_of_another_cluster_than_its_engine_s_is_not_opened(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    with pytest.raises(Permanent, match="its engine has the label of lab"):
        worker.activate(rig.swarm, instance_id, "lab-gpu")
    assert node_of(rig, instance_id) == node


def test_joining_twice_is_once(rig: SwarmRig) -> None:
    _, engine, node = joined(rig)
    again = membership.join(engine, rig.secret, "10.98.0.11")
    assert again == {"node_id": node.node_id, "already": True}


def test_a_member_refuses_to_join_again(rig: SwarmRig) -> None:
    _, engine, _ = joined(rig)
    with pytest.raises(Permanent, match="already part of a swarm"):
        engine.join(rig.secret.token, rig.secret.manager, "10.98.0.11", "pause")


def test_a_wrong_token_is_refused_for_good(rig: SwarmRig) -> None:
    _, engine, address = rig.worker()
    with pytest.raises(Permanent):
        membership.join(engine, JoinSecret("nonsense", rig.secret.manager), address)
    assert engine.membership().state == "inactive"


def test_a_rotated_token_is_refused_until_it_is_read_again_and_members_stay(
    rig: SwarmRig,
) -> None:
    _, _, member = joined(rig)
    instance_id, engine, address = rig.worker()
    stale = rig.secret
    rig.rotate_token()
    with pytest.raises(Transient, match="valid join token"):
        membership.join(engine, stale, address)
    assert membership.join(engine, rig.secret, address)["already"] is False
    eventually(
        lambda: node_of(rig, instance_id).state == "ready",
        lambda: node_of(rig, instance_id),
        SOON_S,
    )
    states = {node.node_id: node.state for node in rig.swarm.nodes()}
    assert states[member.node_id] == "ready"


def test_a_node_that_is_drained_is_a_member_to_itself(rig: SwarmRig) -> None:
    # A converge of its Engine reads this, and leaves it alone.
    instance_id, engine, node = joined(rig)
    worker.drain(rig.swarm, instance_id)
    assert node_of(rig, instance_id).availability == "drain"
    assert engine.membership().state == "active"
    assert membership.join(engine, rig.secret, "10.98.0.11")["node_id"] == node.node_id


def test_pause_and_activate_set_availability_and_label_together(rig: SwarmRig) -> None:
    instance_id, _, _ = joined(rig)
    for act, availability in ((worker.activate, "active"), (worker.pause, "pause")):
        answer = act(rig.swarm, instance_id)
        node = node_of(rig, instance_id)
        assert (node.availability, node.node_label) == (availability, instance_id)
        assert answer == {
            "node_id": node.node_id,
            "state": "ready",
            "availability": availability,
            "servers": [],
        }
        assert act(rig.swarm, instance_id) == answer


def test_a_node_that_is_not_there_is_gone(rig: SwarmRig) -> None:
    missing = "abcdefghijklmnopqrstuvwxy"
    with pytest.raises(Gone):
        rig.swarm.update(missing, "pause", "i-0123456789abcdef0")
    with pytest.raises(Gone):
        rig.swarm.remove(missing)
    with pytest.raises(Gone):
        rig.swarm.servers_on(missing)
    with pytest.raises(Gone):
        worker.pause(rig.swarm, "i-0123456789abcdef0")


def test_servers_on_a_node_stay_when_it_is_paused_and_end_when_it_is_drained(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    worker.activate(rig.swarm, instance_id)
    server = Server("ada", "lab 1", f"jupyter-{instance_id}")
    rig.serve(server, node.node_id)
    assert list(rig.swarm.servers_on(node.node_id)) == [server]
    assert worker.pause(rig.swarm, instance_id)["servers"] == [server.service]
    worker.drain(rig.swarm, instance_id)
    eventually(
        lambda: not rig.swarm.servers_on(node.node_id),
        lambda: rig.swarm.servers_on(node.node_id),
        SOON_S,
    )
    assert node_of(rig, instance_id).availability == "drain"
    rig.end(server)


def tasks_of(rig: SwarmRig, *servers: Server) -> list[StudentTask]:
    return [task for task in rig.swarm.tasks() if task.server in servers]


def test_a_server_in_line_is_seen_waiting_then_on_its_node_and_then_not_at_all(
    rig: SwarmRig,
) -> None:
    instance_id, _, node = joined(rig)
    worker.activate(rig.swarm, instance_id)
    ada = Server("ada", "", f"jupyter-ada-{instance_id}")
    eve = Server("eve", "lab 2", f"jupyter-eve-{instance_id}")
    rig.serve(ada, node.node_id)
    rig.line_up(eve, "lab-gpu")
    eventually(
        lambda: (
            tasks_of(rig, ada, eve)
            == [
                StudentTask(ada, node.node_id, waits=False),
                StudentTask(eve, None, waits=True, cluster="lab-gpu"),
            ]
        ),
        rig.swarm.tasks,
        SOON_S,
    )
    for server in (ada, eve):
        rig.end(server)
    eventually(lambda: not tasks_of(rig, ada, eve), rig.swarm.tasks, SOON_S)


def services_of(rig: SwarmRig, *servers: Server) -> list[StudentService]:
    return [service for service in rig.swarm.services() if service.server in servers]


def test_a_service_is_listed_also_without_a_task_and_removed_by_its_id(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    worker.activate(rig.swarm, instance_id)
    ada = Server("ada", "", f"jupyter-ada-{instance_id}")
    eve = Server("eve", "lab 2", f"jupyter-eve-{instance_id}")
    before = time.time()
    rig.serve(ada, node.node_id)
    rig.line_up(eve, "lab-gpu")
    found = services_of(rig, ada, eve)
    assert [(s.server, s.cluster) for s in found] == [(ada, None), (eve, "lab-gpu")]
    assert all(before - 1 <= service.created_at <= time.time() + 1 for service in found)
    worker.drain(rig.swarm, instance_id)
    eventually(lambda: not tasks_of(rig, ada), rig.swarm.tasks, SOON_S)
    assert services_of(rig, ada, eve) == found, "no task of it runs"

    rig.swarm.remove_service(found[0].service_id)
    assert services_of(rig, ada, eve) == found[1:]
    with pytest.raises(Gone):
        rig.swarm.remove_service(found[0].service_id)
    rig.swarm.remove_service(found[1].service_id)
    eventually(lambda: not tasks_of(rig, ada, eve), rig.swarm.tasks, SOON_S)


def test_a_change_is_awaited_also_when_it_came_before_the_wait(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    before = time.time()
    worker.activate(rig.swarm, instance_id)
    assert rig.swarm.await_change(before, SOON_S)
    server = Server("ada", "", f"jupyter-{instance_id}")
    before = time.time()
    rig.line_up(server)
    assert rig.swarm.await_change(before, SOON_S)
    rig.end(server)
    assert node_of(rig, instance_id).node_id == node.node_id


def test_a_change_ends_the_wait_for_it(rig: SwarmRig) -> None:
    instance_id, _, _ = joined(rig)
    server = Server("ada", "", f"jupyter-{instance_id}")
    begun = time.monotonic()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(rig.swarm.await_change, time.time(), SOON_S)
        rig.line_up(server)
        assert waiting.result(SOON_S)
    assert time.monotonic() - begun < SOON_S / 2
    rig.end(server)


def test_without_a_change_the_wait_ends_when_it_is_over(rig: SwarmRig) -> None:
    eventually(
        lambda: not rig.swarm.await_change(time.time(), 1.5),
        lambda: "changes for 20 s, and nobody makes any",
        SOON_S,
    )


def test_a_node_that_left_goes_down_and_can_then_be_removed(rig: SwarmRig) -> None:
    instance_id, engine, node = joined(rig)
    assert membership.leave(engine) == {"left": True, "already": False}
    assert membership.leave(engine) == {"left": True, "already": True}
    await_down(rig, node.node_id)
    for _ in range(2):
        assert worker.remove(rig.swarm, instance_id) == {"removed": True}
    assert node.node_id not in {other.node_id for other in rig.swarm.nodes()}


def test_a_ready_node_is_not_removed(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    with pytest.raises(Transient, match="can't be removed"):
        rig.swarm.remove(node.node_id)
    with pytest.raises(Transient, match="is still ready"):
        worker.remove(rig.swarm, instance_id)
    assert node_of(rig, instance_id) == node


def test_a_killed_node_goes_down(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    rig.kill(instance_id)
    await_down(rig, node.node_id)
    assert worker.remove(rig.swarm, instance_id) == {"removed": True}


def test_a_node_that_was_cut_off_is_ready_again_without_the_servers_it_had(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    worker.activate(rig.swarm, instance_id)
    server = Server("ada", "", f"jupyter-{instance_id}")
    rig.serve(server, node.node_id)
    rig.cut(instance_id)
    await_down(rig, node.node_id)
    assert list(rig.swarm.servers_on(node.node_id)) == [server], "nobody has heard of its end"
    rig.heal(instance_id)

    def seen() -> tuple[str, list[Server]]:
        return node_of(rig, instance_id).state, list(rig.swarm.servers_on(node.node_id))

    # Its agent tries to reach the manager ever less often.
    eventually(lambda: seen() == ("ready", []), seen, 3 * SOON_S)
    assert node_of(rig, instance_id).node_id == node.node_id
    rig.end(server)


def test_a_node_removed_by_force_still_believes_that_it_is_a_member(rig: SwarmRig) -> None:
    _, engine, node = joined(rig)
    rig.swarm.remove(node.node_id, force=True)
    assert node.node_id not in {other.node_id for other in rig.swarm.nodes()}
    assert engine.membership().state == "active"


def test_a_node_that_joins_again_has_a_new_id_and_leaves_its_old_entry(rig: SwarmRig) -> None:
    instance_id, engine, first = joined(rig)
    worker.activate(rig.swarm, instance_id)
    membership.leave(engine)
    second = membership.join(engine, rig.secret, "10.98.0.11")
    assert second["node_id"] != first.node_id
    await_down(rig, first.node_id)
    node = node_of(rig, instance_id)
    assert (node.node_id, node.node_label) == (second["node_id"], None)
    with pytest.raises(Transient, match=f"{node.node_id}.* is still ready"):
        worker.remove(rig.swarm, instance_id)
    of_instance = [n.node_id for n in rig.swarm.nodes() if n.instance_id == instance_id]
    assert of_instance == [node.node_id], "the ghost is removed all the same"


def test_down_nodes_are_removed_by_their_ids(rig: SwarmRig) -> None:
    killed_instance, _, killed = joined(rig)
    _, _, alive = joined(rig)
    rig.kill(killed_instance)
    await_down(rig, killed.node_id)
    no_such = "abcdefghijklmnopqrstuvwxy"
    asked = [alive.node_id, killed.node_id, no_such]
    for _ in range(2):
        assert worker.remove_down_nodes(rig.swarm, asked) == {
            "removed": [killed.node_id, no_such],
            "kept": [alive.node_id],
        }
    there = {node.node_id for node in rig.swarm.nodes()}
    assert (alive.node_id in there, killed.node_id in there) == (True, False)


def test_a_manager_is_not_removed_nor_the_node_named_with_it(rig: SwarmRig) -> None:
    instance_id, engine, node = joined(rig)
    membership.leave(engine)
    await_down(rig, node.node_id)
    manager = rig.hub.membership().node_id
    with pytest.raises(Permanent, match="is a manager"):
        worker.remove_down_nodes(rig.swarm, [node.node_id, manager])
    assert {node.node_id, manager} <= {n.node_id for n in rig.swarm.nodes()}
    worker.remove(rig.swarm, instance_id)


def test_a_manager_is_left_alone(rig: SwarmRig) -> None:
    for act in (worker.pause, worker.activate, worker.drain, worker.remove):
        with pytest.raises(Permanent, match="is a manager"):
            act(rig.swarm, HUB)
    with pytest.raises(Permanent):
        membership.leave(rig.hub)


def test_two_labels_that_disagree_stop_everything(rig: SwarmRig) -> None:
    instance_id, _, node = joined(rig)
    other = "i-0fedcba9876543210"
    rig.swarm.update(node.node_id, "pause", other)
    for claimed in (instance_id, other):
        with pytest.raises(Permanent, match="labelled"):
            worker.activate(rig.swarm, claimed)


def test_an_image_is_pulled_by_its_digest_once(rig: SwarmRig) -> None:
    _, engine, _ = rig.worker()
    assert not engine.has_image(rig.image)
    for _ in range(2):
        assert membership.pull(engine, [rig.image]) == {"images": [rig.image]}
    assert engine.has_image(rig.image)


def test_an_image_that_there_is_not_is_refused_for_good(rig: SwarmRig) -> None:
    _, engine, _ = rig.worker()
    none_such = rig.image.replace("/empty@", "/none-such@")
    with pytest.raises(Permanent):
        membership.pull(engine, [none_such])
    assert not engine.has_image(none_such)
