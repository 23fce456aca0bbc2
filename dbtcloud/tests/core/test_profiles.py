import json
import stat

import pytest

from dbtcloud.core.profiles import DuckDbProfile, UserProfile
from dbtcloud.core.runner_errors import InvalidDbtConfiguration

PROFILES = """
oven:
  target: prod
  outputs:
    dev: {type: duckdb, path: oven.duckdb, threads: 2}
    prod:
      type: postgres
      host: "{{ env_var('OVEN_HOST') }}"
      password: "{{ env_var('OVEN_PASSWORD', 'flour') }}"
      schema: live
"""


@pytest.fixture
def oven(tmp_path, monkeypatch):
    project = tmp_path / "oven"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: oven\nprofile: oven\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    return project


def write(folder, text=PROFILES):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profiles.yml").write_text(text)
    return folder


def test_profiles_yml_is_searched_in_the_project_then_the_variable_then_the_home(oven, tmp_path, monkeypatch):
    home, named = write(tmp_path / "home" / ".dbt"), write(tmp_path / "named")
    assert UserProfile.find(oven).file.parent == home
    monkeypatch.setenv("DBT_PROFILES_DIR", str(named))
    assert UserProfile.find(oven).file.parent == named
    write(oven)
    assert UserProfile.find(oven).file.parent == oven
    assert UserProfile.find(oven, named).file.parent == named


def test_the_targets_adapters_and_variables_of_a_profile_are_read(oven):
    write(oven)
    found = UserProfile.find(oven)
    assert (found.target, sorted(found.outputs)) == ("prod", ["dev", "prod"])
    assert found.adapters() == ("dbt-duckdb", "dbt-postgres")
    assert (found.threads("dev"), found.threads("prod")) == (2, None)
    assert (found.connection_name("dev"), found.connection_name("prod")) == ("DuckDB", "Postgres")
    assert found.variables() == {"OVEN_HOST": True, "OVEN_PASSWORD": False}


ASKING = "target: \"{{ env_var('OVEN_TARGET', 'dev') }}\""


@pytest.mark.parametrize(("value", "target"), [(None, "dev"), ("prod", "prod")])
def test_an_environment_variable_can_name_the_target(oven, monkeypatch, value, target):
    monkeypatch.delenv("OVEN_TARGET", raising=False)
    if value:
        monkeypatch.setenv("OVEN_TARGET", value)
    write(oven, PROFILES.replace("target: prod", ASKING))
    assert UserProfile.find(oven).target == target


@pytest.mark.parametrize("target", ["live", "\"{{ env_var('OVEN_TARGET') }}\"", "\"{{ var('where') }}\""])
def test_a_target_without_an_output_is_refused(oven, monkeypatch, target):
    monkeypatch.delenv("OVEN_TARGET", raising=False)
    write(oven, PROFILES.replace("target: prod", f"target: {target}"))
    with pytest.raises(InvalidDbtConfiguration, match=r"is not one of its outputs \(dev, prod\)"):
        UserProfile.find(oven)


def test_a_run_gets_one_target_with_its_overrides_and_unchanged_jinja(oven, tmp_path):
    write(oven)
    settled = UserProfile.find(oven).with_overrides("prod", "mine", 9)
    path = settled.write(tmp_path / "profile")
    output = json.loads(path.read_text())["oven"]["outputs"]
    assert output == {
        "prod": {
            "type": "postgres",
            "host": "{{ env_var('OVEN_HOST') }}",
            "password": "{{ env_var('OVEN_PASSWORD', 'flour') }}",
            "schema": "mine",
            "threads": 9,
        }
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_error_for_no_profiles_yml_names_the_searched_folders(oven, tmp_path):
    with pytest.raises(
        InvalidDbtConfiguration,
        match=r"profile 'oven'.*no profiles\.yml in .*oven, .*\.dbt.*--profiles-dir.*--duckdb",
    ):
        UserProfile.find(oven)


def test_the_error_for_an_unknown_profile_or_target_names_the_existing_ones(oven):
    write(oven, "stove: {outputs: {dev: {type: duckdb}}}")
    with pytest.raises(
        InvalidDbtConfiguration, match=r"'oven' .* is not in .*profiles\.yml. The profiles there are: stove"
    ):
        UserProfile.find(oven)
    write(oven)
    with pytest.raises(InvalidDbtConfiguration, match=r"no target 'ci'\. Its targets are dev, prod"):
        UserProfile.find(oven).output("ci")


@pytest.mark.parametrize("text", ["oven: [", "- oven", "oven: {outputs: nothing}"])
def test_a_file_that_is_not_a_valid_profiles_yml_is_an_error(oven, text):
    write(oven, text)
    with pytest.raises(InvalidDbtConfiguration, match=r"profiles\.yml"):
        UserProfile.find(oven)


def test_a_folder_without_a_dbt_project_is_an_error(tmp_path):
    with pytest.raises(InvalidDbtConfiguration, match="There is no dbt project"):
        UserProfile.find(tmp_path)


def test_a_project_without_a_profile_is_an_error(oven):
    (oven / "dbt_project.yml").write_text("name: oven\n")
    with pytest.raises(InvalidDbtConfiguration, match="has no profile"):
        UserProfile.find(oven)


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
