"""The benchmark's artifacts are what they say: a manifest is JSON and as long as was announced."""

import json

import pytest

from benchmarks.programs.artifact_store import MEBIBYTE, binary, manifest


@pytest.mark.parametrize("mebibytes", [0, 2])
def test_a_manifest_is_json_of_the_length_that_was_announced(mebibytes):
    pieces, length = manifest(mebibytes)
    whole = b"".join(pieces)
    assert len(whole) == length >= mebibytes * MEBIBYTE
    nodes = json.loads(whole)["nodes"]
    assert len(nodes) == whole.count(b'"original_file_path"') + 1


def test_a_binary_artifact_has_the_length_that_was_announced():
    pieces, length = binary(3)
    assert len(b"".join(pieces)) == length == 3 * MEBIBYTE
