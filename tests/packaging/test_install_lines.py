"""Every line of README, the pages and the container recipe that installs from the checkout does so."""

import re
import shlex

import pytest

from fresh_environment import ROOT, FreshEnvironment

PAGES = [ROOT / "README.md", ROOT / "dbtcloud" / "README.md", ROOT / "CONTRIBUTING.md"]
INSTALL = re.compile(r"\bpip install ([^`\n#&]+)")
CHECKOUT_IN_CONTAINER = "/src"
BY_PIP = "./dbtcloud '.[local]'"
"""The line that pip itself installs, too: the longest way for its resolver."""

pytestmark = pytest.mark.timeout(600)


def lines() -> dict[str, list[str]]:
    """Return the arguments of each install line, with the pages that have it."""
    found: dict[str, list[str]] = {}
    for page in [*PAGES, *sorted((ROOT / "docs").rglob("*.md"))]:
        for arguments in INSTALL.findall(page.read_text()):
            words = [word for word in shlex.split(arguments) if word != "--no-cache-dir"]
            line = shlex.join(word.replace(CHECKOUT_IN_CONTAINER, ".", 1) for word in words)
            found.setdefault(line, []).append(str(page.relative_to(ROOT)))
    return found


LINES = lines()


def provider(line: str) -> bool:
    return any(re.fullmatch(r"\.(\[.*\])?", word) for word in shlex.split(line))


def distribution(line: str) -> bool:
    return any(re.fullmatch(r"\./dbtcloud(\[.*\])?", word) for word in shlex.split(line))


def test_the_lines_are_found_where_a_reader_finds_them():
    found = {page for pages in LINES.values() for page in pages}

    assert found >= {"README.md", "dbtcloud/README.md", "docs/index.md", "docs/tutorial.md"}
    assert found >= {"docs/how-to/local-dbt-cloud.md", "docs/how-to/lineage.md"}
    assert BY_PIP in LINES
    assert any(CHECKOUT_IN_CONTAINER in page.read_text() for page in (ROOT / "docs").rglob("*.md"))


def test_a_line_that_installs_the_provider_brings_dbtcloud_from_the_checkout_too():
    assert [line for line in LINES if provider(line) and not distribution(line)] == []


@pytest.mark.parametrize("line", LINES)
def test_a_line_installs_what_it_names(tmp_path, locked, line):
    made = FreshEnvironment.made(tmp_path)

    made.install(*locked, *shlex.split(line))

    importable(made, line)


def test_pip_itself_installs_the_provider_with_the_local_dbt_cloud(tmp_path, locked):
    made = FreshEnvironment.made(tmp_path, "--seed")
    # What comes from the package index is there already: pip takes minutes for it, and uv seconds.
    _, versions = locked
    made.install("--requirements", versions)

    made.install_by_pip(*locked, *shlex.split(BY_PIP))

    importable(made, BY_PIP)
    made.run("python", "-c", "import airflow_dbt_cloud.operators.dbt")


@pytest.mark.extensive
@pytest.mark.parametrize("line", LINES)
def test_pip_itself_installs_the_newest_of_everything(tmp_path, line):
    made = FreshEnvironment.made(tmp_path, "--seed")

    made.install_by_pip(*shlex.split(line))

    importable(made, line)
    made.run("python", "-m", "pip", "check")


def importable(made: FreshEnvironment, line: str) -> None:
    """Check that what a line names can be imported."""
    if distribution(line):
        made.run("python", "-c", "import dbtcloud.client.endpoints")
    if provider(line):
        made.run("python", "-c", "import airflow_dbt_cloud.get_provider_info")
    if "[local]" in line:
        made.run("dbtcloud", "serve", "--help")
        made.run("python", "-c", "import dbtcloud.local.server.serve")
