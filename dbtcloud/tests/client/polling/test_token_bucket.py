"""No more requests than an account allows, at once or in the long run."""

from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.polling.token_bucket import Bucket


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_a_tenth_of_a_minute_goes_at_once_and_then_one_after_another():
    bucket = Bucket(600, Clock())
    waits = [bucket.take() for _ in range(63)]
    assert waits[:60] == [0.0] * 60
    assert [round(wait, 3) for wait in waits[60:]] == [0.1, 0.2, 0.3]


def test_time_fills_it_again_but_not_above_its_rim():
    clock = Clock()
    bucket = Bucket(600, clock)
    for _ in range(60):
        bucket.take()
    clock.now += 3600
    assert [bucket.take() for _ in range(60)] == [0.0] * 60
    assert bucket.take() > 0


@given(st.lists(st.floats(0, 5), max_size=300))
def test_in_no_stretch_of_time_more_is_sent_than_the_rate_and_one_rim(pauses):
    clock = Clock()
    bucket, sent = Bucket(120, clock), []
    for pause in pauses:
        clock.now += pause
        sent.append(clock.now + bucket.take())
    for begin in range(len(sent)):
        for end in range(begin, len(sent), 7):
            assert end - begin + 1 <= 12 + 2 * (sent[end] - sent[begin]) + 1.001
