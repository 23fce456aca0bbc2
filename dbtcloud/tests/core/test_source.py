"""Projects from real git repositories."""

import subprocess

import pytest

from dbtcloud.core.runner_errors import GitError, InvalidDbtConfiguration
from dbtcloud.core.source import ProjectSource


def git(folder, *words):
    command = ["git", "-c", "user.name=Baker", "-c", "user.email=baker@example.com", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository with a project in `oven`, on `main` and, hotter, on `hot`."""
    top = tmp_path / "repository"
    (top / "oven").mkdir(parents=True)
    git(top, "init", "-q", "-b", "main")
    (top / "oven" / "dbt_project.yml").write_text("name: oven\n")
    (top / "oven" / "heat.sql").write_text("select 180\n")
    git(top, "add", "."), git(top, "commit", "-qm", "warm")
    git(top, "checkout", "-qb", "hot")
    (top / "oven" / "heat.sql").write_text("select 250\n")
    git(top, "commit", "-qam", "hot"), git(top, "checkout", "-q", "main")
    return top


def heat(fetched):
    return (fetched.folder / "heat.sql").read_text()


async def test_the_default_branch_is_fetched_unless_another_is_requested(repository, tmp_path):
    fetched = await ProjectSource(url=str(repository), subdirectory="oven").fetch(tmp_path / "work")
    assert (heat(fetched), fetched.revision.branch) == ("select 180\n", "main")
    assert fetched.revision.sha == git(repository, "rev-parse", "main")


async def test_a_branch_or_a_commit_can_be_requested(repository, tmp_path):
    source = ProjectSource(url=str(repository), branch="main", subdirectory="oven")
    assert heat(await source.fetch(tmp_path / "work", "hot")) == "select 250\n"
    assert heat(await source.fetch(tmp_path / "work")) == "select 180\n"
    sha = git(repository, "rev-parse", "hot")
    assert heat(await source.fetch(tmp_path / "work", None, sha[:10])) == "select 250\n"


async def test_the_next_fetch_has_new_files_and_not_the_deleted_ones(repository, tmp_path):
    source = ProjectSource(url=str(repository), subdirectory="oven")
    await source.fetch(tmp_path / "work")
    (repository / "oven" / "cake.sql").write_text("select 1\n")
    (repository / "oven" / "heat.sql").unlink()
    git(repository, "add", "-A"), git(repository, "commit", "-qm", "cake")
    folder = (await source.fetch(tmp_path / "work")).folder
    assert sorted(path.name for path in folder.iterdir()) == ["cake.sql", "dbt_project.yml"]


async def test_a_folder_has_its_current_files_or_those_of_a_requested_branch(repository, tmp_path):
    (repository / "oven" / "heat.sql").write_text("select 999 -- not committed\n")
    source = ProjectSource(folder=repository / "oven")
    assert heat(await source.fetch(tmp_path / "work")).startswith("select 999")
    assert heat(await source.fetch(tmp_path / "work", "hot")) == "select 250\n"
    assert (repository / "oven" / "heat.sql").read_text().startswith("select 999")


async def test_an_unknown_branch_or_commit_is_an_error(repository, tmp_path):
    source = ProjectSource(url=str(repository))
    with pytest.raises(GitError, match="has no branch 'cold'"):
        await source.fetch(tmp_path / "work", "cold")
    with pytest.raises(GitError, match="has no commit abcd1234"):
        await source.fetch(tmp_path / "work", None, "abcd1234")


@pytest.mark.parametrize("name", ["--upload-pack=touch", "HEAD~1", "../main", "main^{tree}"])
async def test_a_branch_or_commit_cannot_be_an_option_of_git(repository, tmp_path, name):
    source = ProjectSource(url=str(repository))
    with pytest.raises(GitError):
        await source.fetch(tmp_path / "work", name)
    with pytest.raises(GitError):
        await source.fetch(tmp_path / "work", None, name)


async def test_the_error_for_an_unreachable_repository_does_not_show_its_password(tmp_path):
    source = ProjectSource(url="http://baker:s3cret@127.0.0.1:9/oven.git")
    with pytest.raises(GitError) as caught:
        await source.fetch(tmp_path / "work")
    assert "could not be fetched: git fetch ended with exit code" in str(caught.value)
    assert "git ls-remote" in str(caught.value)
    assert "s3cret" not in str(caught.value) + str(source)


async def test_an_address_cannot_be_an_option_of_git(tmp_path):
    with pytest.raises(GitError):
        await ProjectSource(url=f"--upload-pack=touch {tmp_path}/struck").fetch(tmp_path / "work")
    assert not (tmp_path / "struck").exists()


async def test_a_folder_outside_of_git_has_no_branches(tmp_path):
    with pytest.raises(GitError, match="is not in a git repository"):
        await ProjectSource(folder=tmp_path).fetch(tmp_path / "work", "main")


async def test_a_subdirectory_and_a_link_cannot_lead_out_of_the_repository(repository, tmp_path):
    with pytest.raises(InvalidDbtConfiguration, match="leads out of the repository"):
        await ProjectSource(url=str(repository), subdirectory="../..").fetch(tmp_path / "work")
    (repository / "oven" / "secret.sql").symlink_to("/etc/passwd")
    git(repository, "add", "."), git(repository, "commit", "-qm", "link")
    with pytest.raises(InvalidDbtConfiguration, match=r"secret\.sql leads out of the project's repository"):
        await ProjectSource(url=str(repository), subdirectory="oven").fetch(tmp_path / "work")


async def test_the_whole_repository_is_fetched_with_its_links(repository, tmp_path):
    (repository / "shared").mkdir()
    (repository / "shared" / "one.sql").touch()
    (repository / "oven" / "linked").symlink_to("../shared")
    git(repository, "add", "."), git(repository, "commit", "-qm", "shared")

    folder = (await ProjectSource(url=str(repository), subdirectory="oven").fetch(tmp_path / "work")).folder

    assert (folder / ".." / "shared" / "one.sql").exists()
    assert (folder / "linked" / "one.sql").exists()


async def test_what_dbt_creates_in_a_checkout_stays_until_a_commit_changes_it(repository, tmp_path):
    (repository / "oven" / "crumbs.duckdb").write_text("1")
    git(repository, "add", "."), git(repository, "commit", "-qm", "a database")
    source = ProjectSource(url=str(repository), subdirectory="oven")
    folder = (await source.fetch(tmp_path / "work")).folder
    (folder / "crumbs.duckdb").write_text("1, 2")
    (folder / "created.parquet").write_text("3")
    (folder / "package-lock.yml").touch()
    (tmp_path / "work" / "revision.index.lock").touch()  # left by a git that was killed
    (repository / "oven" / "heat.sql").write_text("select 190\n")
    git(repository, "commit", "-qam", "warmer")

    fetched = await source.fetch(tmp_path / "work")

    assert heat(fetched) == "select 190\n"
    assert (folder / "crumbs.duckdb").read_text() == "1, 2"
    assert (folder / "created.parquet").exists()
    assert not (folder / "package-lock.yml").exists()

    (repository / "oven" / "crumbs.duckdb").write_text("new")
    (repository / "oven" / "created.parquet").write_text("new")
    (repository / "oven" / "package-lock.yml").touch()
    git(repository, "add", "."), git(repository, "commit", "-qm", "another database")
    await source.fetch(tmp_path / "work")

    assert (folder / "crumbs.duckdb").read_text() == (folder / "created.parquet").read_text() == "new"
    assert (folder / "package-lock.yml").exists()
