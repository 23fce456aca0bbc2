"""Which failed looks a wait lives through, by a clock of the test's own."""

import pytest

from dbtcloud.client import errors
from dbtcloud.client.failure_tolerance import FailureTolerance


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def tolerance(clock, told):
    return FailureTolerance(clock, told.append)


def answered(kind, status):
    return kind(status, "GET", "/r")


@pytest.mark.parametrize(
    "error",
    [
        answered(errors.ServerError, 500),
        answered(errors.RateLimited, 429),
        errors.MalformedResponse("HTML"),
        errors.TransportError("reset", sent=True),
        errors.TransportError("refused", sent=False),
    ],
    ids=str,
)
def test_what_may_pass_is_lived_through_for_ever_and_told_once(tolerance, clock, told, error):
    for _ in range(100):
        clock.now += 3_600
        assert tolerance.tolerates(error)
    assert len(told) == 1
    assert str(error) in told[0]
    assert "may still be running" in told[0]


@pytest.mark.parametrize(
    ("error", "grace"),
    [
        (answered(errors.Unauthorized, 401), 300),
        (answered(errors.Forbidden, 403), 300),
        (answered(errors.NotFound, 404), 60),
    ],
    ids=["401", "403", "404"],
)
def test_what_may_be_a_rotation_or_a_beginning_is_lived_through_for_a_while(tolerance, clock, error, grace):
    assert tolerance.tolerates(error)
    clock.now += grace - 1
    assert tolerance.tolerates(error)
    clock.now += 1
    assert not tolerance.tolerates(error)


@pytest.mark.parametrize("error", [answered(errors.BadRequest, 400), errors.InvalidArgument("x")], ids=str)
def test_what_will_not_pass_ends_the_wait_at_once(tolerance, told, error):
    assert not tolerance.tolerates(error)
    assert told == []


def test_a_good_look_begins_the_grace_anew_and_is_told(tolerance, clock, told):
    error = answered(errors.Unauthorized, 401)
    assert tolerance.tolerates(error)
    clock.now += 299
    tolerance.succeeded()
    assert told[-1] == "dbt Cloud answers again after 299 s."
    clock.now += 10_000
    assert tolerance.tolerates(error)


def test_good_looks_after_good_looks_are_not_told(tolerance, told):
    tolerance.succeeded()
    tolerance.succeeded()
    assert told == []


def test_each_kind_of_fault_is_told_once_in_a_row_of_failures(tolerance, told):
    broken, page = answered(errors.ServerError, 500), errors.MalformedResponse("HTML")
    for error in (broken, broken, page, page, broken):
        tolerance.tolerates(error)
    assert len(told) == 2


def test_an_outage_in_between_does_not_count_towards_a_grace(tolerance, clock):
    missing, broken = answered(errors.NotFound, 404), answered(errors.ServerError, 503)
    for error in (missing, *[broken] * 200, missing):
        assert tolerance.tolerates(error)
        clock.now += 5


def test_a_fault_in_between_does_not_make_a_wrong_token_last_for_ever(tolerance, clock):
    wrong, broken = answered(errors.Unauthorized, 401), answered(errors.ServerError, 500)
    lasted = 0
    while tolerance.tolerates(wrong) and tolerance.tolerates(broken):
        clock.now += 60
        lasted += 60
        assert lasted < 3_600
    assert lasted >= 300
