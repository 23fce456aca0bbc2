import json

from dbtcloud.core.duckdb_profile import DuckDbProfile


def test_the_profile_names_the_target_the_schema_and_the_file(tmp_path):
    path = DuckDbProfile(tmp_path / "warehouse.duckdb", "prod", "no", 3).write(tmp_path / "profile")

    assert path == tmp_path / "profile" / "profiles.yml"
    assert json.loads(path.read_text()) == {
        "local": {
            "target": "prod",
            "outputs": {
                "prod": {
                    "type": "duckdb",
                    "path": str(tmp_path / "warehouse.duckdb"),
                    "schema": "no",
                    "threads": 3,
                }
            },
        }
    }
