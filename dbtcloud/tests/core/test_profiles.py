import json
import stat

import pytest

from dbtcloud.core.profiles import DuckDbProfile, UserProfile
from dbtcloud.core.runner_errors import InvalidDbtProject, ProfileNotFound

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


def test_the_projects_own_goes_before_the_variables_and_that_before_the_homes(oven, tmp_path, monkeypatch):
    home, named = write(tmp_path / "home" / ".dbt"), write(tmp_path / "named")
    assert UserProfile.find(oven).file.parent == home
    monkeypatch.setenv("DBT_PROFILES_DIR", str(named))
    assert UserProfile.find(oven).file.parent == named
    write(oven)
    assert UserProfile.find(oven).file.parent == oven
    assert UserProfile.find(oven, named).file.parent == named


def test_its_targets_and_what_they_need_are_read(oven):
    write(oven)
    found = UserProfile.find(oven)
    assert (found.target, sorted(found.outputs)) == ("prod", ["dev", "prod"])
    assert found.adapters() == ("dbt-duckdb", "dbt-postgres")
    assert (found.threads("dev"), found.threads("prod")) == (2, None)
    assert (found.connection_name("dev"), found.connection_name("prod")) == ("DuckDB", "Postgres")
    assert found.required_variables() == ["OVEN_HOST"]


ASKING = "target: \"{{ env_var('OVEN_TARGET', 'dev') }}\""


@pytest.mark.parametrize(("value", "target"), [(None, "dev"), ("prod", "prod")])
def test_a_target_may_be_asked_for_by_a_variable(oven, monkeypatch, value, target):
    monkeypatch.delenv("OVEN_TARGET", raising=False)
    if value:
        monkeypatch.setenv("OVEN_TARGET", value)
    write(oven, PROFILES.replace("target: prod", ASKING))
    assert UserProfile.find(oven).target == target


@pytest.mark.parametrize("target", ["live", "\"{{ env_var('OVEN_TARGET') }}\"", "\"{{ var('where') }}\""])
def test_a_target_that_stands_for_no_output_is_refused(oven, monkeypatch, target):
    monkeypatch.delenv("OVEN_TARGET", raising=False)
    write(oven, PROFILES.replace("target: prod", f"target: {target}"))
    with pytest.raises(ProfileNotFound, match=r"is not one of its outputs \(dev, prod\)"):
        UserProfile.find(oven)


def test_a_run_gets_one_target_with_its_overrides_and_the_jinja_as_it_was(oven, tmp_path):
    write(oven)
    settled = UserProfile.find(oven).with_overrides("prod", "mine", 9, oven)
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


def test_a_duckdb_file_beside_the_project_stays_beside_it(oven):
    write(oven)
    settled = UserProfile.find(oven).with_overrides("dev", None, None, oven)
    assert settled.outputs["dev"]["path"] == str(oven / "oven.duckdb")


@pytest.mark.parametrize("path", [":memory:", "md:bakery", "/data/oven.duckdb", "{{ env_var('X') }}"])
def test_other_duckdb_paths_are_left_alone(oven, path):
    write(oven, f"oven: {{outputs: {{dev: {{type: duckdb, path: {json.dumps(path)}}}}}}}")
    assert UserProfile.find(oven).with_overrides("dev", None, None, oven).outputs["dev"]["path"] == path


def test_no_profiles_file_anywhere_is_told_with_the_places(oven, tmp_path):
    with pytest.raises(
        ProfileNotFound,
        match=r"profile 'oven'.*no profiles\.yml in .*oven, .*\.dbt.*--profiles-dir.*--duckdb",
    ):
        UserProfile.find(oven)


def test_an_unknown_profile_and_an_unknown_target_are_told_with_those_there_are(oven):
    write(oven, "stove: {outputs: {dev: {type: duckdb}}}")
    with pytest.raises(
        ProfileNotFound, match=r"'oven' .* is not in .*profiles\.yml. The profiles there are: stove"
    ):
        UserProfile.find(oven)
    write(oven)
    with pytest.raises(ProfileNotFound, match=r"no target 'ci'\. Its targets are dev, prod"):
        UserProfile.find(oven).output("ci")


@pytest.mark.parametrize("text", ["oven: [", "- oven", "oven: {outputs: nothing}"])
def test_a_file_that_is_no_profiles_file_is_told(oven, text):
    write(oven, text)
    with pytest.raises(ProfileNotFound, match=r"profiles\.yml"):
        UserProfile.find(oven)


def test_a_folder_that_is_no_project_is_told(tmp_path):
    with pytest.raises(InvalidDbtProject, match="There is no dbt project"):
        UserProfile.find(tmp_path)


def test_a_project_that_names_no_profile_is_told(oven):
    (oven / "dbt_project.yml").write_text("name: oven\n")
    with pytest.raises(ProfileNotFound, match="has no profile"):
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
