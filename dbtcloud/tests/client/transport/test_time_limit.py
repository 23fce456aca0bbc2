"""No answer takes longer than its timeout, however it arrives, and no request outlasts a limit around it."""

import asyncio
import time
from itertools import chain

import pytest

from dbtcloud.client import endpoints
from dbtcloud.client.errors import TransportError
from dbtcloud.client.protocol import Sleep
from dbtcloud.client.retry import NO_RETRY, RetryPolicy
from dbtcloud.client.transport.async_client import run_call_async
from dbtcloud.client.transport.sync_client import run_call
from dbtcloud.client.transport.time_limit import MINIMUM_RATE, AnswerDeadline, seconds_left, time_limit
from wires.calls import Forgetful
from wires.raw import RawServer, answer, chunked, dripping, endless, envelope, refusal, silence

TIMEOUT = 0.2
RUN = answer(envelope({"id": 7, "status": 10, "name": "it"}))
HEAD = RUN.index(b"\r\n\r\n") + 4
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"

HANGING = {
    "silence": silence,
    "100, then silence": lambda: chain([CONTINUE], silence()),
    "102, then silence": lambda: chain([PROCESSING], silence()),
    "103, then silence": lambda: chain([EARLY], silence()),
    "103 without end": lambda: endless(EARLY),
    "100 without end": lambda: endless(CONTINUE),
    "a dripping status line": lambda: dripping(RUN),
    "dripping headers": lambda: dripping(RUN, start=20),
    "a dripping body": lambda: dripping(RUN, start=HEAD),
    "dripping chunks": lambda: dripping(chunked(RUN), start=60),
    "half a body": lambda: chain([RUN[: HEAD + 5]], silence()),
}


@pytest.fixture
def seconds():
    """The seconds since the test began."""
    began = time.monotonic()
    return lambda: time.monotonic() - began


@pytest.mark.parametrize("case", HANGING)
def test_an_answer_that_is_not_complete_in_time_is_none(engine, access, raw_server, seconds, case):
    raw_server.reply = lambda _: HANGING[case]()
    with pytest.raises(TransportError, match=r"not complete within 0\.2 seconds") as raised:
        engine.ask(access(raw_server.url, timeout=TIMEOUT), endpoints.get_run(1, 7), retry=NO_RETRY)
    assert raised.value.sent
    assert raised.value.retryable
    assert TIMEOUT <= seconds() < 4


@pytest.mark.parametrize("interim", [CONTINUE, PROCESSING, EARLY, EARLY + PROCESSING])
def test_interim_answers_are_skipped_and_never_taken_for_the_next_answer(engine, access, raw_server, interim):
    runs = [answer(envelope({"id": number, "status": 10})) for number in (7, 8)]
    raw_server.replies(interim + runs[0], interim + runs[1])
    calls = endpoints.get_run(1, 7), endpoints.get_run(1, 8)
    assert engine.ask(access(raw_server.url), *calls, retry=NO_RETRY).id == 8
    assert len(raw_server.received) == 2


def test_a_switch_of_protocols_is_no_answer(engine, access, raw_server):
    raw_server.reply = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + RUN
    with pytest.raises(Exception, match=r"answered 101|No answer came") as raised:
        engine.ask(access(raw_server.url, timeout=TIMEOUT), endpoints.get_run(1, 7), retry=NO_RETRY)
    assert raised.value.retryable


@pytest.fixture(params=["tls", "proxy", "tls over a proxy"])
def wire(request, authority, proxy_to, access):
    """A server behind TLS, a proxy, or both, and the credentials for it."""
    server = RawServer(tls=authority.server() if "tls" in request.param else None)
    proxies = {"all": proxy_to().url} if "proxy" in request.param else {}
    yield server, access(server.url, timeout=TIMEOUT, verify=authority.file, proxies=proxies)
    server.close()


@pytest.mark.parametrize("case", ["103, then silence", "dripping headers", "a dripping body"])
def test_tls_and_proxies_change_nothing(engine, wire, seconds, case):
    server, credentials = wire
    server.reply = RUN
    assert engine.ask(credentials, endpoints.get_run(1, 7), endpoints.get_run(1, 7), retry=NO_RETRY).id == 7
    server.reply = lambda _: HANGING[case]()
    with pytest.raises(TransportError, match="not complete within"):
        engine.ask(credentials, endpoints.get_run(1, 7), retry=NO_RETRY)
    assert seconds() < 4


def test_a_proxy_that_never_opens_the_tunnel_is_given_up(engine, access, raw_server, seconds):
    raw_server.reply = lambda _: dripping(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
    credentials = access("https://127.0.0.1:1", timeout=TIMEOUT, proxies={"all": raw_server.url})
    with pytest.raises(TransportError, match="No answer came"):
        engine.ask(credentials, endpoints.get_run(1, 7), retry=NO_RETRY)
    assert seconds() < 4


def test_a_kept_connection_has_the_whole_time_for_each_answer(engine, access, raw_server):
    raw_server.reply = lambda _: dripping(RUN, pause=0.1, start=len(RUN) - 1)
    calls = [endpoints.get_run(1, 7) for _ in range(3)]
    assert engine.ask(access(raw_server.url, timeout=0.25), *calls, retry=NO_RETRY).id == 7
    assert raw_server.connections == 1


BODY = b"select 1 -- " + b"x" * 4 * MINIMUM_RATE
FILE = answer(BODY)
SLOW = {
    "a body that drips": lambda: dripping(FILE, start=len(FILE) - 2 * MINIMUM_RATE),
    "a body that stops": lambda: chain([FILE[:-1]], silence()),
    "a head that drips": lambda: dripping(FILE),
}


@pytest.mark.parametrize("case", SLOW)
def test_a_download_keeps_to_a_minimum_rate(engine, access, raw_server, seconds, case):
    raw_server.reply = lambda _: SLOW[case]()
    call = endpoints.download_artifact(1, 7, "a.sql", Forgetful())
    why = "Fewer than 4,096 bytes per second arrived over 0.2 seconds" if "body" in case else "not complete"
    with pytest.raises(TransportError, match=why):
        engine.ask(access(raw_server.url, timeout=TIMEOUT), call, retry=NO_RETRY)
    assert seconds() < 4


def test_a_download_may_take_far_longer_than_the_timeout(engine, access, raw_server, seconds):
    size = int(MINIMUM_RATE * TIMEOUT) + 1

    def slowly():
        yield FILE[: -4 * size]
        for start in range(len(FILE) - 4 * size, len(FILE), size):
            time.sleep(0.7 * TIMEOUT)
            yield FILE[start : start + size]

    raw_server.reply = lambda _: slowly()
    engine.ask(
        access(raw_server.url, timeout=TIMEOUT),
        endpoints.download_artifact(1, 7, "a.sql", Forgetful()),
        retry=NO_RETRY,
    )
    assert seconds() > 2 * TIMEOUT


class _Slow(Forgetful):
    def write(self, chunk):
        time.sleep(2 * TIMEOUT)


def test_only_the_wait_for_bytes_counts_not_their_storage(engine, access, raw_server):
    raw_server.reply = answer(b"x" * 600_000)
    call = endpoints.download_artifact(1, 7, "a.sql", _Slow())
    engine.ask(access(raw_server.url, timeout=TIMEOUT), call, retry=NO_RETRY)


def test_a_limit_around_a_call_ends_its_requests_and_their_retries(engine, access, raw_server, seconds):
    raw_server.reply = lambda _: silence()
    with time_limit(0.3), pytest.raises(TransportError, match=r"not complete within 0\.\d seconds"):
        engine.ask(access(raw_server.url), endpoints.get_run(1, 7), retry=RetryPolicy(delay=0))
    assert seconds() < 4
    assert len(raw_server.received) == 1


def test_after_the_limit_nothing_is_sent(engine, access, raw_server):
    with time_limit(0), pytest.raises(TransportError, match="The time for all requests was over") as raised:
        engine.ask(access(raw_server.url), endpoints.get_run(1, 7))
    assert not raised.value.sent
    assert raw_server.received == []


def test_a_poll_that_hangs_fails_once_and_one_that_fails_at_once_is_sent_again(
    engine, access, raw_server, seconds
):
    raw_server.replies(refusal(503, "Later"), RUN)
    credentials = access(raw_server.url, timeout=TIMEOUT)
    with time_limit(None):
        assert engine.ask(credentials, endpoints.get_run(1, 7)).id == 7
    raw_server.reply = lambda _: silence()
    with time_limit(None), pytest.raises(TransportError, match="not complete"):
        engine.ask(credentials, endpoints.get_run(1, 7))
    assert len(raw_server.received) == 3
    assert seconds() < 4


def test_no_pause_outlasts_the_limit(seconds):
    def call():
        yield Sleep(30)
        return "done"

    with time_limit(0.05):
        assert run_call(call(), lambda _: None) == "done"
        assert asyncio.run(run_call_async(call(), lambda _: None)) == "done"
    assert seconds() < 4


def test_of_two_limits_the_earlier_one_counts():
    with time_limit(5):
        with time_limit(50):
            assert seconds_left() <= 5
        with time_limit(1):
            assert seconds_left() <= 1
        assert seconds_left() > 1
    assert seconds_left() == float("inf")


def test_the_rate_is_counted_anew_after_each_timeouts_worth_of_bytes():
    deadline = AnswerDeadline(10, streamed=True)
    deadline.start_body()
    deadline.add(10 * MINIMUM_RATE - 1, 9)
    assert deadline.seconds_left() == pytest.approx(1)
    deadline.add(1, 0.5)
    assert deadline.seconds_left() == pytest.approx(10)
    deadline.add(5, 10)
    with pytest.raises(TimeoutError):
        deadline.seconds_left()


def test_every_address_of_a_host_is_tried(engine, access, raw_server):
    """Here localhost is ::1 too on most machines, and nothing listens there."""
    raw_server.reply = RUN
    url = raw_server.url.replace("127.0.0.1", "localhost")
    assert engine.ask(access(url, timeout=5), endpoints.get_run(1, 7), retry=NO_RETRY).id == 7
