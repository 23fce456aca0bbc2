"""Both distributions have one version, and the provider takes no other of `dbtcloud`."""

import re
import tomllib
from pathlib import Path

import airflow_dbt_cloud
import dbtcloud

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())


def test_both_distributions_have_one_version():
    assert airflow_dbt_cloud.__version__ == dbtcloud.__version__


def test_every_requirement_of_dbtcloud_is_for_exactly_this_version():
    extras = PROJECT["optional-dependencies"]
    requirements = [*PROJECT["dependencies"], *(each for group in extras.values() for each in group)]
    ours = [each for each in requirements if re.match(r"dbtcloud\b", each)]

    assert ours == [
        f"dbtcloud=={airflow_dbt_cloud.__version__}",
        f"dbtcloud[local]=={airflow_dbt_cloud.__version__}",
    ]


def test_the_lock_takes_both_from_the_checkout():
    sources = {each["name"]: each["source"] for each in LOCK["package"]}

    assert LOCK["manifest"]["members"] == ["airflow-dbt-cloud", "dbtcloud"]
    assert sources["airflow-dbt-cloud"] == {"editable": "."}
    assert sources["dbtcloud"] == {"editable": "dbtcloud"}
