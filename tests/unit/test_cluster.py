"""A cluster's description is read strictly."""

import copy
import json
from typing import Any

import pytest
from tests.support.app_twins import DESCRIPTION, MANAGER

from labswarm.cluster import Cluster, asg_name, cluster_of, group_cluster, node_name
from labswarm.errors import BadInput


def test_a_description_is_read() -> None:
    cluster = Cluster.parse(json.dumps(DESCRIPTION))

    assert (cluster.name, cluster.manager, cluster.headroom) == ("lab", MANAGER, 2)
    assert cluster.chef.url == "https://10.98.0.1:4545"
    assert cluster.seat.memory_bytes == 512 * 1024 * 1024
    assert cluster.images == tuple(DESCRIPTION["images"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Lab"),
        ("name", "l" * 21),
        ("asg", "labswarm-other-workers"),
        ("asg", None),
        ("manager", "10.98.0.10"),
        ("chef", None),
        ("chef.url", "http://10.98.0.1:4545"),
        ("chef.organization", 3),
        ("chef.admin", ""),
        ("chef.key_id", None),
        ("chef.ca_pem", 1),
        ("seat", []),
        ("seat.memory_bytes", 0),
        ("seat.nano_cpus", "many"),
        ("overhead.memory_bytes", -1),
        ("overhead.nano_cpus", None),
        ("headroom", True),
        ("images", "one"),
        ("images", ["two images"]),
        ("empty_deadline_s", 1.5),
        ("timetable", 4),
    ],
)
def test_a_wrong_field_is_refused_by_name(field: str, value: Any) -> None:
    bad = copy.deepcopy(DESCRIPTION)
    where = bad
    *path, name = field.split(".")
    for key in path:
        where = where[key]
    where[name] = value

    with pytest.raises(BadInput) as refused:
        Cluster.parse(json.dumps(bad))

    assert refused.value.field == field


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_a_text_that_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        Cluster.parse(text)

    assert refused.value.field == "cluster"


def test_a_group_and_its_cluster_name_each_other() -> None:
    assert cluster_of(asg_name("lab-2")) == "lab-2"
    assert cluster_of("labswarm--workers") is None
    assert node_name("lab", "i-0123456789abcdef0") == "lab-i-0123456789abcdef0"


def test_a_hub_s_further_group_is_a_cluster_that_can_be_described() -> None:
    name = group_cluster("lab", "gpu")

    cluster = Cluster.parse(json.dumps({**DESCRIPTION, "name": name, "asg": asg_name(name)}))

    assert (cluster.name, cluster.manager) == ("lab-gpu", MANAGER)


@pytest.mark.parametrize("group", ["", "GPU", "g u", "g_u", "g" * 17, "g/u"])
def test_a_group_that_would_make_no_cluster_s_name_is_refused(group: str) -> None:
    assert group_cluster("lab", "g" * 16) == f"lab-{'g' * 16}"
    with pytest.raises(BadInput) as refused:
        group_cluster("lab", group)

    assert refused.value.field == "group"


@pytest.mark.parametrize(
    ("where", "key", "sentence"),
    [
        ((), "empty_deadline", "empty_deadline: is not known; did you mean 'empty_deadline_s'?"),
        ((), "colour", "colour: is not known; use one of asg, chef, "),
        (("chef",), "organisation", "chef.organisation: .* did you mean 'organization'"),
        (("seat",), "memory_byte", "seat.memory_byte: .* did you mean 'memory_bytes'"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_known_one(
    where: tuple[str, ...], key: str, sentence: str
) -> None:
    values = json.loads(json.dumps(DESCRIPTION))
    inside = values
    for name in where:
        inside = inside[name]
    inside[key] = 1

    with pytest.raises(BadInput, match=sentence):
        Cluster.parse(json.dumps(values))
