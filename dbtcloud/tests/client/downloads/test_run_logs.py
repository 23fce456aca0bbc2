"""The logs of a run's steps, by each engine, in whatever order and form dbt Cloud sends them."""

import io
from urllib.parse import parse_qs, urlsplit

import pytest

from dbtcloud.client.downloads.run_logs import read_run_logs
from dbtcloud.client.errors import InvalidArgument, LogMissing, MalformedResponse, NotFound
from wires.raw import answer, envelope, refusal

CLONE = {"id": 11, "index": 1, "name": "Clone git repository", "status": 10, "logs": "Cloning …\n"}
BUILD = {
    "debug_logs": "16:04:11 [debug] é 😀\n",
    "truncated_debug_logs": "cut",
    "logs": "1 of 4 ERROR\n",
    "run_step_command": {"index": 9, "logs": "not this"},
    "name": "Invoke dbt with `dbt build`",
    "status": 20,
    "index": 2,
}
FINISHED_AT = "2026-02-03 04:05:06+00:00"


def run(*steps, status=20):
    return envelope({"id": 7, "status": status, "finished_at": FINISHED_AT, "run_steps": list(steps)})


@pytest.fixture
def read(engine, access, raw_server):
    """Read the logs of run 7: the sink, and a function that returns the text of a step."""

    def read(**options):
        logs = engine.ask(access(raw_server.url), read_run_logs(1, 7, io.BytesIO(), **options))
        debug = options.get("debug", False)
        return logs, [b"".join(logs.text(step, debug=debug)).decode() for step in logs.steps()]

    return read


@pytest.mark.parametrize(
    ("debug", "related", "texts"),
    [
        (False, '["run_steps"]', ["Cloning …\n", "1 of 4 ERROR\n"]),
        (True, '["run_steps","debug_logs"]', ["Cloning …\n", "16:04:11 [debug] é 😀\n"]),
    ],
)
def test_one_request_brings_the_logs_of_all_steps(read, raw_server, debug, related, texts):
    raw_server.reply = answer(run(BUILD, CLONE))
    logs, found = read(debug=debug)
    assert found == texts
    assert [(step.index, step.name, step.status) for step in logs.steps()] == [
        (1, "Clone git repository", 10),
        (2, "Invoke dbt with `dbt build`", 20),
    ]
    assert logs.is_finished
    (received,) = raw_server.received
    assert parse_qs(urlsplit(received.target).query) == {"include_related": [related]}


def test_a_second_attempt_starts_with_an_empty_file(read, raw_server):
    raw_server.replies(answer(run(CLONE, BUILD), cut=10), answer(run(CLONE)))
    assert read()[1] == ["Cloning …\n"]


def test_a_step_that_the_run_does_not_have_is_refused_with_those_that_it_has(read, raw_server):
    raw_server.reply = answer(run(CLONE, BUILD))
    with pytest.raises(
        InvalidArgument, match=r"Run 7 has no step 3\. Its steps are 1 \(Clone git repository\), 2"
    ):
        read(steps=[2, 3])


def test_a_missing_log_is_an_error_only_if_the_others_are_missing_too(read, raw_server):
    silent = {**BUILD, "logs": None, "debug_logs": ""}
    raw_server.reply = answer(run(CLONE, silent))
    assert read()[1] == ["Cloning …\n", ""]
    with pytest.raises(LogMissing, match=r"Run 7 has no log of step 2 \(Invoke dbt with `dbt build`\)"):
        read(steps=[2])


def test_a_run_that_has_not_ended_has_logs_so_far(read, raw_server):
    raw_server.reply = answer(run(CLONE, {**BUILD, "status": 3, "logs": None}, status=3))
    logs, texts = read()
    assert not logs.is_finished
    assert texts == ["Cloning …\n", ""]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data": {"run_steps": [{"index": "x"}]}}',
        b'{"data": {"run_steps": [{"name": "a"}]}}',
    ],
)
def test_an_answer_of_another_form_is_malformed(read, raw_server, body):
    raw_server.reply = answer(body)
    with pytest.raises(MalformedResponse, match="run 7"):
        read()


def test_a_run_that_does_not_exist_is_not_found(read, raw_server):
    raw_server.reply = refusal(404, "No such run")
    with pytest.raises(NotFound):
        read()
