"""dbt's commands are taken apart as dbt does it, and nothing but the selection changes."""

import shlex
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.report.dbt_command import (
    _SELECTION_OPTIONS,
    _VALUE_OPTIONS,
    DbtCommand,
)


def narrowed(text):
    return str(DbtCommand.parse(text).with_selection(["fqn:a"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dbt run", "dbt run --select fqn:a"),
        ("dbt build", "dbt build --select fqn:a --indirect-selection empty"),
        ("dbt run --select b c+ tag:d --full-refresh", "dbt run --full-refresh --select fqn:a"),
        ("dbt run -s b -m c --models d --exclude e f", "dbt run --select fqn:a"),
        ("dbt run --select=b c -t prod", "dbt run -t prod --select fqn:a"),
        ("dbt run --selector nightly --threads 8", "dbt run --threads 8 --select fqn:a"),
        ("dbt run -xs b c", "dbt run -x --select fqn:a"),
        ("dbt run -sb -q", "dbt run -q --select fqn:a"),
        ("dbt run -tprod -fx", "dbt run -tprod -fx --select fqn:a"),
        ("dbt run --vars='-s b'", "dbt run '--vars=-s b' --select fqn:a"),
        ("dbt run --vars -s", "dbt run --vars -s --select fqn:a"),
        ("dbt run --select 'a b' -d", "dbt run -d --select fqn:a"),
        (
            """dbt run --vars '{"x": "-s a"}' -s b --fail-fast""",
            """dbt run --vars '{"x": "-s a"}' --fail-fast --select fqn:a""",
        ),
        (
            "dbt --no-use-colors --log-level debug test --resource-type unit_test -s b",
            "dbt --no-use-colors --log-level debug test --select fqn:a --indirect-selection empty",
        ),
        (
            "dbt build --exclude-resource-types test seed --indirect-selection cautious --defer --state s",
            "dbt build --defer --state s --select fqn:a --indirect-selection empty",
        ),
    ],
)
def test_only_the_selection_is_replaced(text, expected):
    assert narrowed(text) == expected


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("dbt build", "build"),
        ("dbt --target docs run --vars 'build: 1'", "run"),
        ("dbt docs generate --select a", "docs generate"),
        ("dbt source freshness", "source freshness"),
        ("dbt run-operation clean --args '{a: build}'", "run-operation"),
        ("dbt", ""),
        ("dbt run --vars 'open", ""),
        ("echo dbt run", ""),
    ],
)
def test_what_a_command_does(text, verb):
    assert DbtCommand.subcommand_of(text) == verb


@pytest.mark.parametrize("text", ["dbt run --vars 'open", "echo", ""])
def test_what_is_no_command_of_dbt_is_refused(text):
    with pytest.raises(ValueError, match=r"begin with dbt|closing quotation"):
        DbtCommand.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dbt run", "dbt run"),
        ("dbt run --event-time-start 2026-11-01 --event-time-end=2026-11-09 -t prod", "dbt run -t prod"),
        ("dbt run --vars '{day: \"2026-11-01\"}'", "dbt run --vars '{day: \"2026-11-01\"}'"),
    ],
)
def test_event_times_replace_those_of_the_command(text, expected):
    found = DbtCommand.parse(text).with_event_times(
        datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 23, 4, tzinfo=UTC)
    )
    assert str(found) == (
        f"{expected} --event-time-start 2026-11-22T00:00:00 --event-time-end 2026-11-23T04:00:00"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dbt run --full-refresh -x", "dbt run -x"),
        ("dbt run -f", "dbt run"),
        ("dbt -q run -xfq --threads 2", "dbt -q run -xq --threads 2"),
        ("dbt run -fs a b", "dbt run -s a b"),
        ("dbt run -xfsa", "dbt run -xsa"),
    ],
)
def test_full_refresh_is_taken_out_however_it_is_written(text, expected):
    command = DbtCommand.parse(text)
    assert command.full_refresh
    assert str(command.without_full_refresh()) == expected


@pytest.mark.parametrize(
    "text", ["dbt run", "dbt run -tfast -s fqn:f", "dbt run --fail-fast", "dbt run -t -f"]
)
def test_a_command_without_full_refresh_stays_as_it_is(text):
    command = DbtCommand.parse(text)
    assert (command.full_refresh, str(command.without_full_refresh())) == (False, text)


ANY = st.text(max_size=8)
PLAIN = ANY.filter(lambda word: not word.startswith("-"))
KEPT = st.one_of(
    st.sampled_from(["--full-refresh", "-x", "-d", "--fail-fast", "-fq", "--defer"]).map(lambda flag: [flag]),
    st.tuples(st.sampled_from(sorted(_VALUE_OPTIONS)), ANY).map(list),
    st.tuples(st.sampled_from(["--vars", "--target"]), ANY).map(lambda pair: ["=".join(pair)]),
)
SELECTS = st.tuples(st.sampled_from(sorted(_SELECTION_OPTIONS)), st.lists(PLAIN, min_size=1)).map(
    lambda pair: [pair[0], *pair[1]]
)


@given(st.lists(st.tuples(st.booleans(), KEPT, SELECTS)))
def test_whatever_is_no_selection_stays_word_for_word(options):
    """A selection ends only at an option, so free words come first."""
    written, expected = ["dbt", "run"], ["dbt", "run"]
    for selects, kept, selecting in options:
        written += selecting if selects else kept
        expected += [] if selects else kept
    assert shlex.split(narrowed(shlex.join(written))) == [*expected, "--select", "fqn:a"]


@given(st.lists(ANY))
def test_a_command_that_is_read_is_written_the_same(words):
    written = shlex.join(["dbt", *words])
    assert shlex.split(str(DbtCommand.parse(written))) == ["dbt", *words]
