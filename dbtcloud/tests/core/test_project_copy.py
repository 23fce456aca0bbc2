import os
from pathlib import Path

import pytest

from dbtcloud.core.project import DbtProject
from dbtcloud.core.project_copy import ProjectCopy
from dbtcloud.core.runner_errors import InvalidDbtConfiguration


@pytest.fixture
def source(tmp_path: Path) -> Path:
    project = tmp_path / "repository" / "source"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: oven\n")
    (project / "models" / "bread.sql").write_text("select 1\n")
    return project


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def copy(source, tmp_path: Path) -> ProjectCopy:
    return ProjectCopy(source, tmp_path / "environment")


def test_the_copy_has_the_files_of_the_source(copy):
    assert copy.refresh() == 2
    assert files(copy.folder) == {"dbt_project.yml", "models/bread.sql"}


def test_only_changed_files_are_copied(source, copy):
    copy.refresh()
    untouched = (copy.folder / "dbt_project.yml").stat()
    (source / "models" / "bread.sql").write_text("select 22\n")
    (source / "models" / "cake.sql").write_text("select 3\n")

    copy.refresh()

    assert (copy.folder / "models" / "bread.sql").read_text() == "select 22\n"
    assert (copy.folder / "models" / "cake.sql").exists()
    assert (copy.folder / "dbt_project.yml").stat().st_ctime_ns == untouched.st_ctime_ns


def test_a_file_that_cannot_be_written_to_is_replaced(source, copy):
    (source / "models" / "bread.sql").chmod(0o400)
    copy.refresh()
    (source / "models" / "bread.sql").chmod(0o600)
    (source / "models" / "bread.sql").write_text("select 22\n")

    copy.refresh()

    assert (copy.folder / "models" / "bread.sql").read_text() == "select 22\n"


def test_files_that_the_source_no_longer_has_are_deleted(source, copy):
    copy.refresh()
    (source / "models" / "bread.sql").unlink()

    copy.refresh()

    assert files(copy.folder) == {"dbt_project.yml"}


@pytest.mark.parametrize("name", ["logs", "target", "node_modules"])
def test_a_folder_of_models_can_have_a_name_that_dbt_uses(source, copy, name):
    (source / "models" / name).mkdir()
    (source / "models" / name / "crumbs.sql").touch()

    copy.refresh()

    assert f"models/{name}/crumbs.sql" in files(copy.folder)


def test_generated_files_are_neither_copied_nor_removed(source, copy):
    (source / "target").mkdir()
    (source / "target" / "manifest.json").touch()
    (copy.folder / "dbt_packages" / "dbt_utils").mkdir(parents=True)
    (copy.folder / "dbt_packages" / "dbt_utils" / "dbt_project.yml").touch()

    copy.refresh()

    kept = {"dbt_project.yml", "models/bread.sql", "dbt_packages/dbt_utils/dbt_project.yml"}
    assert files(copy.folder) == kept


def test_a_profile_in_the_project_is_not_copied(source, copy):
    (source / "profiles.yml").write_text("oven: {}\n")

    copy.refresh()

    assert "profiles.yml" not in files(copy.folder)


def test_a_database_beside_the_models_is_neither_copied_nor_removed(source, copy):
    (source / "oven.duckdb").touch()
    (copy.folder / "made").mkdir(parents=True)
    (copy.folder / "made" / "stove.duckdb").touch()

    copy.refresh()

    assert files(copy.folder) == {"dbt_project.yml", "models/bread.sql", "made/stove.duckdb"}


def test_a_path_that_leaves_the_project_leads_where_it_leads_from_the_source(source, copy):
    shared = source.parent / "shared"
    shared.mkdir()
    (shared / "one.sql").touch()
    (source.parent / "old").mkdir()
    copy.refresh()
    beside = copy.folder.parent
    assert {path.name for path in beside.iterdir()} == {"source", "shared", "old"}
    assert (beside / "shared").resolve() == shared
    assert (beside.parent / "environment").resolve() == copy.parent
    assert not copy.folder.is_symlink()

    (source.parent / "old").rmdir()
    copy.refresh()

    assert {path.name for path in beside.iterdir()} == {"source", "shared"}


def test_the_user_s_folder_is_never_written_to(source, copy):
    """Not even if somebody has put a link to it in the place of the copy."""
    copy.folder.parent.mkdir(parents=True)
    copy.folder.symlink_to(source)
    (source / "profiles.yml").touch()
    before = files(source)

    copy.refresh()

    assert files(source) == before
    assert not copy.folder.is_symlink()


def test_a_link_to_a_folder_of_models_stays_a_link(source, copy):
    shared = source.parent / "shared_models"
    shared.mkdir()
    (shared / "roll.sql").touch()
    link = source / "models" / "shared"
    link.symlink_to("../../shared_models")

    assert copy.refresh() == 3
    assert (copy.folder / "models" / "shared").resolve() == shared

    link.unlink()
    link.mkdir()
    (link / "own.sql").touch()
    copy.refresh()

    assert files(copy.folder) == {"dbt_project.yml", "models/bread.sql", "models/shared/own.sql"}
    assert files(shared) == {"roll.sql"}

    (link / "own.sql").unlink()
    link.rmdir()
    link.symlink_to("../../shared_models")
    copy.refresh()

    assert (copy.folder / "models" / "shared").resolve() == shared


def test_links_to_nothing_and_sockets_are_not_copied(source, copy):
    (source / "models" / ".#bread.sql").symlink_to("baker@oven.4711")
    os.mkfifo(source / "models" / "pipe")

    assert copy.refresh() == 2


def test_a_copy_within_the_project_does_not_contain_itself(source):
    copy = ProjectCopy(source, source / "state" / "environments" / "1")
    copy.refresh()
    assert copy.refresh() == 2


def test_a_folder_without_a_project_is_refused(tmp_path):
    with pytest.raises(
        InvalidDbtConfiguration, match=r"There is no dbt project in .*dbt_project\.yml.*Give the folder"
    ):
        ProjectCopy(tmp_path, tmp_path / "environment").refresh()


@pytest.mark.parametrize("name", ["packages.yml", "dependencies.yml"])
def test_a_project_with_a_packages_file_has_packages(source, name):
    assert not DbtProject.has_packages(source)
    (source / name).touch()
    assert DbtProject.has_packages(source)
