"""The mark that finds a run again, in any cause that people write."""

import html
import json
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.marker import CAUSE_MAX_LENGTH, Marker

MARK = Marker(Marker.digest("dag", "run", "task"), 2, 3, f"{Marker.digest('payload')[:5]}0")
OTHER = Marker(Marker.digest("dag", "run", "another"), 0, 1, f"{Marker.digest('payload')[:5]}0")
WORDING = "Triggered via Apache Airflow by task 'build' in the nightly DAG."

marks = st.builds(
    Marker,
    st.text().map(Marker.digest),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.tuples(st.text().map(Marker.digest), st.integers(0, 10**4)).map(
        lambda pair: f"{pair[0][:5]}{pair[1]}"
    ),
)


@given(marks, st.text(max_size=600))
def test_a_mark_is_whole_and_found_in_any_text(mark, text):
    cause = mark.add_to(text)
    assert Marker.find(cause) == mark
    assert len(cause) <= CAUSE_MAX_LENGTH
    assert mark.add_to(cause) == cause


@given(marks, st.dictionaries(st.text(max_size=20), st.text(max_size=90), max_size=6))
def test_a_mark_is_whole_and_found_in_any_object(mark, facet):
    cause = mark.add_to(json.dumps(facet))
    assert Marker.find(cause) == mark
    assert len(cause) <= CAUSE_MAX_LENGTH


def test_a_short_cause_stands_before_the_mark_byte_for_byte():
    assert MARK.add_to(WORDING) == f"{WORDING} [af:{MARK}]"


def test_the_mark_of_another_run_in_a_pasted_cause_is_not_ours():
    pasted = OTHER.add_to(WORDING)
    assert MARK.add_to(pasted) == f"{pasted} [af:{MARK}]"
    assert Marker.find(MARK.add_to(pasted)) == MARK
    assert Marker.find(MARK.add_to(json.dumps({"af": str(OTHER), "parent": 1}))) == MARK


@pytest.mark.parametrize(
    "cause",
    [f"See [af:{MARK}] for more.", json.dumps({"parent": 1, "af": str(MARK)}), f"{WORDING} [af:{MARK}]"],
)
def test_a_cause_that_has_the_marker_already_is_left_as_it_is(cause):
    assert MARK.add_to(cause) == cause


def test_a_cause_that_has_the_marker_and_is_too_long_is_cut():
    cause = f"[af:{MARK}] {'x' * CAUSE_MAX_LENGTH}"
    assert len(MARK.add_to(cause)) == CAUSE_MAX_LENGTH
    assert Marker.find(MARK.add_to(cause)) == MARK


@pytest.mark.parametrize("cause", [None, "", WORDING, "[af:not.a.mark]", "an-ordinary.1.2.sentence3"])
def test_where_there_is_no_mark_none_is_found(cause):
    assert Marker.find(cause) is None


def facet(run_id, name):
    return {"run": {"runId": run_id}, "job": {"namespace": "default", "name": name}}


def test_an_openlineage_parent_gets_the_mark_as_its_key():
    parent = {"parent": facet("1", "a.b"), "root": facet("2", "a")}
    stamped = json.loads(MARK.add_to(json.dumps(parent)))
    assert stamped == {**parent, "af": str(MARK)}


def test_the_root_is_dropped_before_the_parent_is():
    parent = {"parent": facet("1", "a" * 60), "root": facet("2", "b" * 60)}
    assert json.loads(MARK.add_to(json.dumps(parent))) == {"parent": parent["parent"], "af": str(MARK)}


def test_a_parent_that_does_not_fit_is_cut_as_text_with_its_mark_whole():
    cause = MARK.add_to(json.dumps({"parent": facet("1", "a" * 300)}))
    assert cause.startswith('{"parent": ')
    assert cause.endswith(f" [af:{MARK}]")
    assert len(cause) == CAUSE_MAX_LENGTH


@pytest.mark.parametrize("cause", ["[1, 2]", "17", '"text"', "null"])
def test_json_that_is_no_object_is_text(cause):
    assert MARK.add_to(cause) == f"{cause} [af:{MARK}]"


def test_random_marks_differ():
    assert len({Marker.random().task for _ in range(100)}) == 100


def test_digests_keep_parts_apart_and_take_an_id_as_number_or_text():
    assert Marker.digest("ab", "c") != Marker.digest("a", "bc")
    assert Marker.payload_digest(50, {}) == Marker.payload_digest("50", {})


def test_the_payloads_digest_is_of_job_and_overrides_but_not_of_the_cause():
    one = Marker.payload_digest(50, {"steps_override": ["dbt build"], "git_branch": "main", "cause": "a"})
    assert one == Marker.payload_digest(
        50, {"git_branch": "main", "steps_override": ["dbt build"], "cause": "b"}
    )
    assert one != Marker.payload_digest(51, {"steps_override": ["dbt build"], "git_branch": "main"})
    assert one != Marker.payload_digest(50, {"steps_override": ["dbt test"], "git_branch": "main"})


SENT = MARK.add_to(WORDING)
ALTERED = {
    "upper case": str.upper,
    "swapped case": str.swapcase,
    "escaped for HTML": html.escape,
    "escaped for HTML twice over a JSON text": lambda cause: html.escape(json.dumps(cause)),
    "escaped for a URL": quote,
    "without its end": lambda cause: cause[:-1],
    "only its end": lambda cause: cause[-len(f"{MARK}]") :],
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_a_mark_is_found_in_a_cause_that_comes_back_altered(alter):
    assert Marker.find(alter(SENT)) == MARK


@pytest.mark.parametrize("length", [0, 1, 40, 64, 65, 70, 80, 90, len(SENT) - 2])
@pytest.mark.parametrize("end", ["", "…", "...", " "])
@pytest.mark.parametrize("alter", [str, str.upper, html.escape, quote], ids=["plain", "upper", "html", "url"])
def test_a_cause_that_was_cut_may_be_ours(length, end, alter):
    cut = alter(SENT[:length])
    assert Marker.find(cut) is None
    assert MARK.may_be_missing_from(cut + end, SENT)


@pytest.mark.parametrize("length", range(20, 40))
def test_a_cause_that_was_cut_within_an_escape_may_be_ours(length):
    assert MARK.may_be_missing_from(html.escape(SENT)[:length], SENT)


def test_a_cause_that_is_missing_may_be_ours():
    assert MARK.may_be_missing_from(None, SENT)


def test_a_mark_whose_last_number_is_cut_may_be_ours():
    tenth = replace(MARK, payload=f"{MARK.payload}2")
    sent = tenth.add_to(WORDING)
    assert tenth.may_be_missing_from(sent[:-2], sent)


def test_the_cut_cause_of_an_earlier_try_may_be_of_the_same_task():
    earlier = replace(MARK, attempt=2).add_to(WORDING)
    assert MARK.may_be_missing_from(earlier[: earlier.index(".2.2")], SENT)
    assert not MARK.may_be_missing_from(earlier, SENT)


def test_json_that_was_cut_may_be_ours_and_whole_json_is_not():
    sent = MARK.add_to(json.dumps({"parent": facet("1", "a.b")}))
    earlier = json.dumps({"parent": facet("2", "a.b")})
    assert MARK.may_be_missing_from(earlier[:50], sent)
    assert not MARK.may_be_missing_from(earlier, sent)


@pytest.mark.parametrize(
    "cause",
    [
        "Kicked off by hand",
        "scheduled",
        OTHER.add_to(WORDING),
        WORDING.replace("build", "test"),
        "Trigger warning",
    ],
)
def test_a_cause_of_somebody_else_is_not_ours(cause):
    assert not MARK.may_be_missing_from(cause, SENT)
