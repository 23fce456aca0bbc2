"""The readers understand what dbt really writes."""

import io
import time

import pytest

from dbtcloud.artifacts.catalog import read_catalog
from dbtcloud.artifacts.manifest import read_manifest
from dbtcloud.artifacts.run_results import stream_run_results
from dbtcloud.client import endpoints
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.sync_client import SyncClient
from dbtcloud.report.run_report_reader import builds_nodes


@pytest.mark.dbt
def test_artifacts_of_a_real_build_are_read_and_agree_with_each_other(dbt_cloud):
    with SyncClient(Credentials(base_url=dbt_cloud.url, token=dbt_cloud.token)) as client:
        run = client.ask(endpoints.trigger_run(1, 1, {"cause": "a test", "generate_docs_override": True}))
        while not (run := client.ask(endpoints.get_run(1, run.id, include_related=["run_steps"]))).finished:
            time.sleep(0.2)

        def file(path, step=None):
            return io.BytesIO(client.ask(endpoints.get_artifact(1, run.id, path, step=step)).body)

        step = next(filter(builds_nodes, run.steps)).index
        manifest, catalog = read_manifest(file("manifest.json", step)), read_catalog(file("catalog.json"))
        results = list(stream_run_results(file("run_results.json", step)))
        paths = client.ask(endpoints.list_artifacts(1, run.id))

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
    assert {node.compiled_path for node in manifest.nodes.values() if node.compiled_path} <= set(paths)
    assert takings.compiled_path == "compiled/bakery/models/marts/daily_takings.sql"
    assert [column.name for column in catalog[takings.unique_id].columns][:2] == ["sold_on", "shop_id"]
