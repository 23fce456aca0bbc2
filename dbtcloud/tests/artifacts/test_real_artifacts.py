"""The readers understand the artifacts that dbt really writes."""

import io

import pytest

from dbtcloud.artifacts.catalog import read_catalog
from dbtcloud.artifacts.manifest import read_manifest
from dbtcloud.artifacts.run_results import stream_run_results
from recorded_run import successful_run


@pytest.mark.dbt
def test_artifacts_of_a_real_build_are_read_and_agree_with_each_other():
    paths = successful_run().artifacts

    def file(path):
        return io.BytesIO(paths[path].encode())

    build = min(path for path in paths if path.endswith("/run_results.json")).split("/")[1]
    manifest, catalog = (
        read_manifest(file(f"steps/{build}/manifest.json")),
        read_catalog(file("catalog.json")),
    )
    results = list(stream_run_results(file(f"steps/{build}/run_results.json")))

    assert (manifest.schema.version, manifest.schema.metadata["adapter_type"]) == (12, "duckdb")
    takings = manifest.nodes["model.bakery.daily_takings"]
    assert (takings.materialized, takings.package, takings.schema) == ("table", "bakery", "prod")
    assert "model.bakery.stg_sales" in takings.depends_on
    assert takings.unique_id in manifest.children["model.bakery.stg_sales"]
    built = {result.unique_id for result in results if result.kind in {"model", "seed", "test"}}
    assert built <= manifest.nodes.keys()
    assert takings.unique_id in built
    assert {result.relation for result in results if result.unique_id == takings.unique_id} == {
        takings.relation_name
    }
    assert {node.compiled_path for node in manifest.nodes.values() if node.compiled_path} <= paths.keys()
    assert takings.compiled_path == "compiled/bakery/models/marts/daily_takings.sql"
    assert [column.name for column in catalog[takings.unique_id].columns][:2] == ["sold_on", "shop_id"]
