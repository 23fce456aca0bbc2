"""When requests may be sent, on an event loop whose time is jumped over rather than waited for."""

import asyncio
import selectors
import time

import pytest

from dbtcloud.client.errors import RateLimited
from dbtcloud.client.polling.rate_limiter import COOL_DOWN, LONGEST, Pacing
from dbtcloud.client.polling.token_bucket import Bucket


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


def paced(per_minute=1e9):
    return Pacing(Bucket(per_minute, lambda: asyncio.get_running_loop().time()))


def refusal(retry_after=None):
    return RateLimited(429, "GET", "/", retry_after=retry_after)


async def waited(pacing):
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await pacing.turn()
    return round(loop.time() - begin)


def test_without_a_refusal_nobody_waits(jumped):
    async def turns():
        pacing = paced()
        return [await waited(pacing) for _ in range(3)]

    assert jumped(turns()) == [0, 0, 0]


def test_the_bucket_spaces_requests(jumped):
    async def turns():
        pacing = paced(per_minute=60)
        return [await waited(pacing) for _ in range(8)]

    assert jumped(turns()) == [0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("seconds", [0.0, 7.0, 300.0])
def test_a_429_says_how_long_all_wait(jumped, seconds):
    async def turns():
        pacing = paced()
        pacing.refused(refusal(seconds))
        return await asyncio.gather(waited(pacing), waited(pacing))

    assert jumped(turns()) == [seconds, seconds]


def test_a_429_that_asks_for_more_than_dbt_cloud_ever_does_is_not_obeyed(jumped):
    async def turns():
        pacing = paced()
        pacing.refused(refusal(86_400))
        return await waited(pacing)

    assert jumped(turns()) == LONGEST


def test_a_429_that_says_nothing_makes_the_pause_longer_each_time_up_to_dbt_clouds(jumped):
    async def turns():
        pacing, pauses = paced(), []
        for _ in range(5):
            pacing.refused(refusal())
            pauses.append(await waited(pacing))
        return pauses

    assert jumped(turns()) == [COOL_DOWN, 2 * COOL_DOWN, 4 * COOL_DOWN, LONGEST, LONGEST]


def test_requests_refused_together_count_once(jumped):
    async def turns():
        pacing = paced()
        for _ in range(10):
            pacing.refused(refusal())
        return await waited(pacing)

    assert jumped(turns()) == COOL_DOWN


def test_a_shorter_pause_does_not_end_a_longer_one(jumped):
    async def turns():
        pacing = paced()
        pacing.refused(refusal(200))
        pacing.refused(refusal(5))
        return await waited(pacing)

    assert jumped(turns()) == 200


def test_who_waits_already_heeds_a_later_refusal(jumped):
    async def turns():
        pacing = paced()
        pacing.refused(refusal(10))
        turn = asyncio.create_task(waited(pacing))
        await asyncio.sleep(9)
        pacing.refused(refusal(30))
        return await turn

    assert jumped(turns()) == 39


def test_after_an_answer_the_pause_begins_small_again(jumped):
    async def turns():
        pacing = paced()
        pacing.refused(refusal())
        await pacing.turn()
        pacing.answered()
        pacing.refused(refusal())
        return await waited(pacing)

    assert jumped(turns()) == COOL_DOWN
