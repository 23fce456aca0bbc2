"""When requests may be sent, on an event loop whose time is jumped over rather than waited for."""

import asyncio
import selectors
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.errors import RateLimited
from dbtcloud.client.polling.rate_limiter import (
    FIRST_COOL_DOWN,
    LONGEST_COOL_DOWN,
    PollRateLimiter,
    TokenBucket,
)


class Jumping(selectors.DefaultSelector):
    """Waits for nothing: where nobody is ready, the time goes on to the next timer."""

    ahead = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout:
            self.ahead += timeout
        return ready


@pytest.fixture
def jumped():
    """Carries out a coroutine on such a loop."""

    def carry_out(coroutine):
        selector = Jumping()
        loop = asyncio.SelectorEventLoop(selector)
        loop.time = lambda: time.monotonic() + selector.ahead
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(coroutine)

    return carry_out


def limiter_of(per_minute=1e9):
    return PollRateLimiter(TokenBucket(per_minute, lambda: asyncio.get_running_loop().time()))


def refusal(retry_after=None):
    return RateLimited(429, "GET", "/", retry_after=retry_after)


async def waited(limiter):
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await limiter.acquire()
    return round(loop.time() - begin)


def test_without_a_refusal_nobody_waits(jumped):
    async def turns():
        limiter = limiter_of()
        return [await waited(limiter) for _ in range(3)]

    assert jumped(turns()) == [0, 0, 0]


def test_the_bucket_spaces_requests(jumped):
    async def turns():
        limiter = limiter_of(per_minute=60)
        return [await waited(limiter) for _ in range(8)]

    assert jumped(turns()) == [0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("seconds", [0.0, 7.0, 300.0])
def test_a_429_says_how_long_all_wait(jumped, seconds):
    async def turns():
        limiter = limiter_of()
        limiter.back_off(refusal(seconds))
        return await asyncio.gather(waited(limiter), waited(limiter))

    assert jumped(turns()) == [seconds, seconds]


def test_a_429_that_asks_for_more_than_dbt_cloud_ever_does_is_not_obeyed(jumped):
    async def turns():
        limiter = limiter_of()
        limiter.back_off(refusal(86_400))
        return await waited(limiter)

    assert jumped(turns()) == LONGEST_COOL_DOWN


def test_a_429_that_says_nothing_makes_the_pause_longer_each_time_up_to_dbt_clouds(jumped):
    async def turns():
        limiter, pauses = limiter_of(), []
        for _ in range(5):
            limiter.back_off(refusal())
            pauses.append(await waited(limiter))
        return pauses

    assert jumped(turns()) == [
        FIRST_COOL_DOWN,
        2 * FIRST_COOL_DOWN,
        4 * FIRST_COOL_DOWN,
        LONGEST_COOL_DOWN,
        LONGEST_COOL_DOWN,
    ]


def test_requests_refused_together_count_once(jumped):
    async def turns():
        limiter = limiter_of()
        for _ in range(10):
            limiter.back_off(refusal())
        return await waited(limiter)

    assert jumped(turns()) == FIRST_COOL_DOWN


def test_a_shorter_pause_does_not_end_a_longer_one(jumped):
    async def turns():
        limiter = limiter_of()
        limiter.back_off(refusal(200))
        limiter.back_off(refusal(5))
        return await waited(limiter)

    assert jumped(turns()) == 200


def test_who_waits_already_heeds_a_later_refusal(jumped):
    async def turns():
        limiter = limiter_of()
        limiter.back_off(refusal(10))
        turn = asyncio.create_task(waited(limiter))
        await asyncio.sleep(9)
        limiter.back_off(refusal(30))
        return await turn

    assert jumped(turns()) == 39


def test_after_an_answer_the_pause_begins_small_again(jumped):
    async def turns():
        limiter = limiter_of()
        limiter.back_off(refusal())
        await limiter.acquire()
        limiter.reset()
        limiter.back_off(refusal())
        return await waited(limiter)

    assert jumped(turns()) == FIRST_COOL_DOWN


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_a_tenth_of_a_minute_goes_at_once_and_then_one_after_another():
    bucket = TokenBucket(600, Clock())
    waits = [bucket.take() for _ in range(63)]
    assert waits[:60] == [0.0] * 60
    assert [round(wait, 3) for wait in waits[60:]] == [0.1, 0.2, 0.3]


def test_time_fills_it_again_but_not_above_its_rim():
    clock = Clock()
    bucket = TokenBucket(600, clock)
    for _ in range(60):
        bucket.take()
    clock.now += 3600
    assert [bucket.take() for _ in range(60)] == [0.0] * 60
    assert bucket.take() > 0


@given(st.lists(st.floats(0, 5), max_size=300))
def test_in_no_stretch_of_time_more_is_sent_than_the_rate_and_one_rim(pauses):
    clock = Clock()
    bucket, sent = TokenBucket(120, clock), []
    for pause in pauses:
        clock.now += pause
        sent.append(clock.now + bucket.take())
    for begin in range(len(sent)):
        for end in range(begin, len(sent), 7):
            assert end - begin + 1 <= 12 + 2 * (sent[end] - sent[begin]) + 1.001
