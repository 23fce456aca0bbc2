"""The reference pages name everything that users call."""

import inspect
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

from airflow_dbt_cloud.hooks.dbt import DbtCloudHook
from airflow_dbt_cloud.operators import dbt as operators
from dbtcloud import errors

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
CALLS_DBT_CLOUD = re.compile(r"(list|get|find|trigger|retry|cancel|stop|wait|log|download|run_d|test)_")


def shown(page: str) -> set[str]:
    return set(re.findall(r"^::: (\S+)$", (REFERENCE / page).read_text(), re.MULTILINE))


def methods() -> list[str]:
    ours = [kind for kind in DbtCloudHook.__mro__ if kind.__module__.startswith("airflow_dbt_cloud")]
    # What overrides Airflow's own HTTP hook is called by that hook only.
    inherited = {name for kind in DbtCloudHook.__mro__ if kind not in ours for name in vars(kind)}
    names = {name for kind in ours for name, member in vars(kind).items() if inspect.isroutine(member)}
    return sorted(name for name in names - inherited if CALLS_DBT_CLOUD.match(name))


@pytest.mark.parametrize("method", methods())
def test_the_hook_page_has_each_method_that_calls_dbt_cloud(method):
    assert f"airflow_dbt_cloud.hooks.dbt.DbtCloudHook.{method}" in shown("hooks.md")


@pytest.mark.parametrize("name", [name for name in operators.__all__ if "Operator" in name])
def test_the_operators_page_has_each_operator(name):
    assert f"airflow_dbt_cloud.operators.dbt.{name}" in shown("operators.md")


@pytest.mark.parametrize("page", sorted(path.name for path in REFERENCE.glob("*.md")))
def test_what_a_page_shows_exists(page):
    for name in shown(page):
        resolve_name(name)


def test_no_two_pages_show_the_same_thing():
    pages = {path.name: shown(path.name) for path in REFERENCE.glob("*.md")}

    for page, names in pages.items():
        elsewhere = set().union(*(others for other, others in pages.items() if other != page))
        # A page that shows a module shows its classes, too.
        assert {name for name in names if name in elsewhere or name.rpartition(".")[0] in elsewhere} == set()


def test_the_page_of_errors_has_each_error():
    page = (REFERENCE / "client-errors.md").read_text()

    assert [name for name in errors.__all__ if f"`{name}`" not in page] == []


def test_no_page_shows_an_internal_class():
    internal = re.compile(r"JobRunLifecycle|JobArguments|DbtCloudBase|\._")

    assert [
        line for page in REFERENCE.glob("*.md") for line in shown(page.name) if internal.search(line)
    ] == []
