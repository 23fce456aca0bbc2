"""Whatever dbt Cloud answers, only documented exceptions come out, and nothing takes longer than it may.

The answers of the local dbt Cloud are recorded, changed by chance, and sent by a raw server. By default each
entry point reads a few series of answers, the same ones every time. With `FUZZ_SECONDS=600` they are new ones
for so long.
"""

import json
import logging
import os
import random
import sys
import threading
import time

import pytest
import structlog

from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.testing import CONNECTION_VARIABLE
from fuzz.answer_mutator import AnswerMutator
from fuzz.entry_points import BAD_JOB, ENTRY_POINTS, FAILED, GOOD_JOB, RUNNING, SUCCEEDED, TIMEOUT
from fuzz.recorded_answers import Recording
from small_artifacts import manifest, run_results
from wires.raw import RawServer

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
SEED = os.environ.get("FUZZ_SEED")
EXAMPLES = 5
SLOW_MACHINE = 10.0  # seconds that all but the requests may take where other things run, too

STEPS = [{"name": "Clone git repository"}, {"name": "Invoke dbt with `dbt build`", "command": "dbt build"}]
LOGS = "12:00:00  Database Error in model orders (models/orders.sql)\n12:00:00  Done. PASS=0 ERROR=1"
ARTIFACTS = {"manifest.json": manifest(), "run_results.json": run_results("a")}
JOBS = [
    {"id": GOOD_JOB, "name": "Nightly", "pretend": {"steps": STEPS, "artifacts": ARTIFACTS}},
    {
        "id": BAD_JOB,
        "name": "Failing",
        "pretend": {
            "outcome": 20,
            "steps": [STEPS[0], {**STEPS[1], "outcome": 20, "logs": LOGS}],
            "artifacts": {"manifest.json": manifest(), "run_results.json": run_results("b", "error")},
        },
    },
    {"id": 72, "name": "Endless", "pretend": {"running": 36_000, "steps": STEPS}},
]
RUNS = [
    {"id": SUCCEEDED, "job_id": GOOD_JOB, "age": 86_400},
    {"id": FAILED, "job_id": BAD_JOB, "age": 80_000},
    {"id": RUNNING, "job_id": 72, "age": 60},
]


class LongPauses:
    """Lets the long pauses of the code under test pass at once. The clocks go on as ever.

    Attributes:
        seconds: Of all of them together.
    """

    def __init__(self, patch):
        self.seconds, self._sleep = 0.0, time.sleep
        patch.setattr(time, "sleep", self.sleep)

    def sleep(self, seconds):
        if seconds < 0.5:  # such as those between two polls
            self._sleep(seconds)
        else:
            self.seconds += seconds


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def pauses(patch):
    return LongPauses(patch)


@pytest.fixture(scope="module")
def quiet(patch):
    """No log: there would be a line for each odd answer."""
    # pytest's own hook fails if an object is collected while JSON of 1,500 levels is being parsed.
    patch.setattr(sys, "unraisablehook", bool)
    settings = structlog.get_config()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**settings)
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def recorded(pauses, patch, quiet, tmp_path_factory):
    """A raw server, and what the local dbt Cloud answers to all entry points."""
    with LocalDbtCloud() as cloud:
        cloud.control.seed(jobs=JOBS, runs=RUNS)
        server, recording = RawServer(), Recording(cloud)
        fields = {"conn_type": "dbt_cloud", "host": server.url, "login": "1", "password": "dbtc_a-token"}
        extra = {"timeout": TIMEOUT, "discovery_url": f"{server.url}/graphql"}
        patch.setenv(CONNECTION_VARIABLE, json.dumps({**fields, "extra": extra}))
        server.reply = recording.record
        for name, entry_point in ENTRY_POINTS.items():
            outcome = outcome_of(entry_point, server.url, tmp_path_factory.mktemp("recorded"))
            assert not is_undocumented(outcome, entry_point), (name, outcome)
    yield server, recording
    server.close()


def outcome_of(entry_point, url, folder):
    try:
        return entry_point.run(url, folder)
    except Exception as error:  # noqa: BLE001 -- which one it is, is the question
        return error


def is_undocumented(outcome, entry_point):
    return isinstance(outcome, Exception) and not isinstance(outcome, entry_point.documented)


def seeds():
    """The same few each time; the one that is asked for; or any, for a share of the seconds."""
    if SEED:
        yield int(SEED)
    elif not SECONDS:
        yield from range(EXAMPLES)
    else:
        begin = time.monotonic()
        while time.monotonic() - begin < SECONDS / len(ENTRY_POINTS):
            yield random.randrange(2**32)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_only_documented_exceptions_come_out_and_in_time(recorded, pauses, tmp_path, name):
    (server, recording), entry_point = recorded, ENTRY_POINTS[name]
    for seed in seeds():
        over = threading.Event()
        mutator = AnswerMutator(seed, over)
        server.received.clear()
        server.reply = lambda request, mutator=mutator: mutator.mutated(recording.answer_to(request))
        paused, begin = pauses.seconds, time.monotonic()
        outcome = outcome_of(entry_point, server.url, tmp_path)
        seconds, paused = time.monotonic() - begin, pauses.seconds - paused
        over.set()
        again = f"Once more: FUZZ_SEED={seed} pytest tests/fuzz -k {name!r}"
        if is_undocumented(outcome, entry_point):
            pytest.fail(f"{type(outcome)}: {str(outcome)[:500]!r}. {again}")
        assert paused <= entry_point.pauses, again
        assert seconds <= SLOW_MACHINE + len(server.received) * TIMEOUT, again
