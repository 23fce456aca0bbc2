from pathlib import Path

import pytest

from dbtcloud.core import project
from dbtcloud.core.runner_errors import InvalidDbtConfiguration


@pytest.fixture
def source(tmp_path: Path) -> Path:
    project = tmp_path / "source"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: oven\n")
    (project / "models" / "bread.sql").write_text("select 1\n")
    return project


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_checkout_has_the_files_of_the_source(source, tmp_path):
    assert project.Checkout(tmp_path / "checkout").refresh(source) == 2
    assert files(tmp_path / "checkout") == {"dbt_project.yml", "models/bread.sql"}


def test_only_changed_files_are_copied(source, tmp_path):
    copy = tmp_path / "checkout"
    project.Checkout(copy).refresh(source)
    untouched = (copy / "dbt_project.yml").stat()
    (source / "models" / "bread.sql").write_text("select 22\n")
    (source / "models" / "cake.sql").write_text("select 3\n")

    project.Checkout(copy).refresh(source)

    assert (copy / "models" / "bread.sql").read_text() == "select 22\n"
    assert (copy / "models" / "cake.sql").exists()
    assert (copy / "dbt_project.yml").stat().st_ctime_ns == untouched.st_ctime_ns


def test_files_that_the_source_no_longer_has_are_deleted(source, tmp_path):
    copy = tmp_path / "checkout"
    project.Checkout(copy).refresh(source)
    (source / "models" / "bread.sql").unlink()

    project.Checkout(copy).refresh(source)

    assert files(copy) == {"dbt_project.yml"}


@pytest.mark.parametrize("name", ["logs", "target", "node_modules"])
def test_a_folder_of_models_can_have_a_name_that_dbt_uses(source, tmp_path, name):
    (source / "models" / name).mkdir()
    (source / "models" / name / "crumbs.sql").touch()

    project.Checkout(tmp_path / "checkout").refresh(source)

    assert f"models/{name}/crumbs.sql" in files(tmp_path / "checkout")


def test_generated_files_are_neither_copied_nor_removed(source, tmp_path):
    copy = tmp_path / "checkout"
    (source / "target").mkdir()
    (source / "target" / "manifest.json").touch()
    (copy / "dbt_packages" / "dbt_utils").mkdir(parents=True)
    (copy / "dbt_packages" / "dbt_utils" / "dbt_project.yml").touch()

    project.Checkout(copy).refresh(source)

    assert files(copy) == {"dbt_project.yml", "models/bread.sql", "dbt_packages/dbt_utils/dbt_project.yml"}


def test_a_profile_in_the_project_is_not_copied(source, tmp_path):
    (source / "profiles.yml").write_text("oven: {}\n")

    project.Checkout(tmp_path / "checkout").refresh(source)

    assert "profiles.yml" not in files(tmp_path / "checkout")


def test_a_database_beside_the_models_is_neither_copied_nor_removed(source, tmp_path):
    copy = tmp_path / "checkout"
    (source / "oven.duckdb").touch()
    (copy / "made").mkdir(parents=True)
    (copy / "made" / "stove.duckdb").touch()

    project.Checkout(copy).refresh(source)

    assert files(copy) == {"dbt_project.yml", "models/bread.sql", "made/stove.duckdb"}


def test_a_folder_without_a_project_is_refused(tmp_path):
    with pytest.raises(
        InvalidDbtConfiguration, match=r"There is no dbt project in .*dbt_project\.yml.*Give the folder"
    ):
        project.Checkout(tmp_path / "checkout").refresh(tmp_path)


@pytest.mark.parametrize("name", ["packages.yml", "dependencies.yml"])
def test_a_project_with_a_packages_file_has_packages(source, name):
    assert not project.Checkout(source).has_packages()
    (source / name).touch()
    assert project.Checkout(source).has_packages()
