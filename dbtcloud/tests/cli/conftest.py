"""A home folder for one test, and a dbt project in it."""

import json

import pytest

from dbtcloud.core import environment


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine of one's own: nothing of the user's home, but the dbt environments that are made once."""
    made = environment.data_home() / "dbt"
    made.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "dbt").symlink_to(made)
    monkeypatch.setenv("DBTCLOUD_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    return tmp_path


@pytest.fixture
def oven(home):
    """A project of one model with a profile of two targets."""
    project = home / "oven"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: oven\nprofile: oven\n")
    (project / "models" / "bread.sql").write_text("select 250 as heat\n")
    outputs = {name: {"type": "duckdb", "path": f"{name}.duckdb", "threads": 2} for name in ("dev", "prod")}
    (project / "profiles.yml").write_text(json.dumps({"oven": {"target": "dev", "outputs": outputs}}))
    return project
