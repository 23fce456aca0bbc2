"""The steps for which a run failed do not include those whose failure dbt Cloud tolerates."""

import pytest

from dbtcloud.client.models import Run
from dbtcloud.report.failed_steps import find_failed_steps

FRESHNESS, DOCS, BUILD = "dbt source freshness", "dbt docs generate", "dbt build"
SUCCESS, ERROR, CANCELLED, NOT_REACHED = 10, 20, 30, 1


def failed(status, *steps):
    """The places, from 1, of the failed steps of a run with these commands and statuses."""
    rows = [
        {"index": index, "name": f"Invoke dbt with `{command}`" if command else "Clone", "status": code}
        for index, (command, code) in enumerate(steps, start=1)
    ]
    return [
        step.index for step in find_failed_steps(Run.parse({"id": 7, "status": status, "run_steps": rows}))
    ]


@pytest.mark.parametrize(
    ("status", "steps", "expected"),
    [
        (SUCCESS, [(None, SUCCESS), (FRESHNESS, ERROR), (BUILD, SUCCESS)], []),
        (SUCCESS, [(BUILD, SUCCESS), (DOCS, ERROR)], []),
        (ERROR, [(FRESHNESS, ERROR), (BUILD, ERROR)], [2]),
        (ERROR, [("dbt --quiet source freshness", ERROR), (BUILD, SUCCESS), ("dbt test", ERROR)], [3]),
        (ERROR, [("dbt source snapshot-freshness", ERROR), (BUILD, ERROR)], [2]),
        (ERROR, [("dbt freshness", ERROR), (BUILD, ERROR)], [2]),
        (ERROR, [(BUILD, ERROR), (DOCS, ERROR)], [1]),
        (ERROR, [(FRESHNESS, ERROR), (BUILD, ERROR), (DOCS, ERROR)], [2]),
        (CANCELLED, [(FRESHNESS, ERROR), (BUILD, CANCELLED)], [2]),
        (CANCELLED, [(FRESHNESS, ERROR)], []),
    ],
)
def test_a_tolerated_step_is_not_blamed(status, steps, expected):
    assert failed(status, *steps) == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([(BUILD, SUCCESS), (FRESHNESS, ERROR)], [2]),
        ([(FRESHNESS, ERROR), (FRESHNESS, ERROR)], [2]),
        ([(FRESHNESS, ERROR), (BUILD, NOT_REACHED)], [1]),
        ([(BUILD, SUCCESS), (DOCS, ERROR)], [2]),
        ([(None, ERROR)], [1]),
    ],
    ids=["last command", "both by setting and by command", "next not reached", "docs as a command", "clone"],
)
def test_a_command_of_the_job_that_fails_is_blamed(steps, expected):
    assert failed(ERROR, *steps) == expected


def test_without_a_step_in_error_the_last_one_is_blamed():
    assert failed(ERROR, (None, SUCCESS), (BUILD, SUCCESS)) == [2]
    assert failed(CANCELLED, (BUILD, CANCELLED)) == [1]
    assert failed(CANCELLED) == []
