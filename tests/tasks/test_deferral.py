"""What goes to the triggerer, and until when it waits there."""

import logging
import time

import pytest
from tenacity import stop_after_attempt

from airflow_dbt_cloud.tasks.deferral import (
    Deadlines,
    poll_after_timeout,
    require_storable,
    storable_hook_params,
)

log = logging.getLogger("deferral")


def test_hook_params_that_are_json_are_kept_unchanged(caplog):
    params = {"timeout_seconds": 5, "retry_args": {"nested": [1, None]}}
    assert storable_hook_params(params, log) == params
    assert caplog.messages == []


def test_other_hook_params_are_dropped_and_named(caplog):
    params = {"retry_limit": 2, "retry_args": {"stop": stop_after_attempt(2)}, "anything": object()}
    assert storable_hook_params(params, log) == {"retry_limit": 2}
    assert "hook_params['anything'] and hook_params['retry_args'] cannot be sent" in caplog.text


def test_an_argument_that_cannot_be_stored_is_refused_by_name():
    require_storable(conn_id="dbt", account_id=None)
    with pytest.raises(ValueError, match=r"account_id=.* cannot be sent to the triggerer"):
        require_storable(conn_id="dbt", account_id={1})


def test_the_deadlines_of_an_event_are_kept():
    event = {"end_time": 5.0, "execution_deadline": 7.0}
    assert Deadlines.from_event(event, timeout=60) == Deadlines(5.0, 7.0)


def test_an_event_without_deadlines_gets_new_ones():
    deadlines = Deadlines.from_event({}, timeout=60)
    assert 59 < deadlines.end_time - time.time() <= 60
    assert deadlines.execution_deadline is None


def test_a_timeout_of_another_trigger_is_believed_without_a_poll():
    event = {"status": "timeout", "run_id": 7, "message": "Too late."}
    assert poll_after_timeout(object(), None, event, log) is event
