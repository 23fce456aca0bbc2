"""Tags are read from a manifest, and a test has those of what it tests."""

import io
import json

import pytest

from dbtcloud.artifacts.node_tags import read_node_tags
from dbtcloud.artifacts.schema import InvalidArtifact


def tags(**sections):
    return read_node_tags(io.BytesIO(json.dumps({"metadata": {}, "nodes": {}, **sections}).encode()))


def test_a_node_has_its_tags_as_a_list_as_one_text_or_in_its_config():
    found = tags(
        nodes={
            "model.shop.a": {"tags": ["x", "y"], "config": {"tags": ["z"]}},
            "model.shop.b": {"config": {"tags": "x"}},
            "model.shop.c": {"tags": {}},
            "model.shop.d": None,
        }
    )
    assert found["model.shop.a"] == {"x", "y"}
    assert found["model.shop.b"] == {"x"}
    assert found["model.shop.c"] == frozenset()


def test_tests_also_have_the_tags_of_what_they_test():
    found = tags(
        nodes={
            "test.shop.unique.1": {"attached_node": "model.shop.a", "tags": ["own"]},
            "test.shop.singular": {"depends_on": {"nodes": ["model.shop.a"]}},
            "model.shop.a": {"tags": ["x"]},
        },
        unit_tests={
            "unit_test.shop.a.t": {"depends_on": {"nodes": ["model.shop.a"]}, "config": {"tags": "u"}}
        },
    )
    assert found["test.shop.unique.1"] == {"own", "x"}
    assert found["test.shop.singular"] == frozenset()
    assert found["unit_test.shop.a.t"] == {"u", "x"}


def test_another_file_is_refused():
    with pytest.raises(InvalidArtifact):
        read_node_tags(io.BytesIO(b'{"metadata": {}, "results": []}'))
