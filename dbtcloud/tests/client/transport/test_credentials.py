"""Tokens and proxy passwords reach their servers and nobody else."""

import base64
import logging
from urllib.parse import quote

import pytest

from dbtcloud.client import discovery, endpoints
from dbtcloud.client.errors import DbtCloudError, InvalidArgument
from dbtcloud.client.protocol import Request
from dbtcloud.client.retry import RetryPolicy
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.client.transport.network_settings import Transport
from wires.raw import answer, refusal
from wires.secrets import told

TOKEN = "dbtc_a-token-for-tests"
PASSWORD = "pr0xy-s3cret"
TWICE = RetryPolicy(attempts=2, delay=0)

PROXIES = [
    "http://user:{secret}@127.0.0.1:{closed}",
    "http://user:{secret}@no.such.host.invalid:3128",
    "http://user:{secret}@127.0.0.1:{proxy}",
    "user:{secret}@127.0.0.1:{proxy}",
    "http://user:{secret}@:x",
    "http://user:{secret}@127.0.0.1:99999",
    "http://user:{secret}@[::1",
    "socks5://user:{secret}@127.0.0.1:{closed}",
    "ftp://user:{secret}@127.0.0.1:{closed}",
    "https://user:{secret}@127.0.0.1:{proxy}",
    "://user:{secret}@",
]


@pytest.fixture(params=PROXIES)
def broken_proxy(request, proxy_to, closed_port):
    return request.param.format(secret=PASSWORD, closed=closed_port, proxy=proxy_to().port)


@pytest.mark.parametrize("url", ["https://ab123.us1.dbt.com", "http://127.0.0.1:8580"])
def test_a_proxy_that_does_not_work_is_told_without_its_password(engine, access, broken_proxy, caplog, url):
    caplog.set_level(logging.DEBUG)
    credentials = access(url, proxies={"https": broken_proxy, "http": broken_proxy}, timeout=0.5)
    with pytest.raises(DbtCloudError) as refused:
        engine.ask(credentials, endpoints.get_run(1, 2), retry=TWICE)
    everything = told(refused.value) + caplog.text + repr(credentials)
    assert PASSWORD not in everything
    assert TOKEN not in everything
    assert refused.value.what
    assert "proxies" in (refused.value.fix or "")


@pytest.mark.parametrize(
    "reply",
    [
        refusal(400, f"Unknown token {TOKEN}"),
        refusal(401, "Invalid token.", {"header": f"Token {TOKEN}"}),
        answer(f"<html>{TOKEN}</html>", 500),
        answer(f"<html>{TOKEN}</html>"),
        answer({"data": TOKEN}),
        answer("", 302, {"Location": f"/login?token={TOKEN}"}),
        answer("", 302, {"Location": f"https://u:{PASSWORD}@elsewhere/{TOKEN}/"}),
        None,
    ],
)
def test_a_server_that_echoes_the_token_is_not_quoted(engine, access, raw_server, caplog, reply):
    caplog.set_level(logging.DEBUG)
    raw_server.reply = reply
    with pytest.raises(DbtCloudError) as refused:
        engine.ask(access(raw_server.url), endpoints.get_run(1, 2), retry=TWICE)
    assert TOKEN not in told(refused.value) + caplog.text
    assert PASSWORD not in told(refused.value) + caplog.text


SPECIAL = "dbtc_a/token+for=tests"
ESCAPED = SPECIAL.replace("=", "\\u003d").replace("/", "\\/")
IN_BASE64 = base64.b64encode(f"Token {SPECIAL}".encode()).decode()


def json_refusal(words):
    return answer(f'{{"status": {{"user_message": "{words}", "developer_message": "{words}"}}}}', 400)


@pytest.mark.parametrize(
    "reply",
    [
        json_refusal(ESCAPED),
        json_refusal(ESCAPED.replace("\\", "\\\\")),
        json_refusal(quote(SPECIAL, safe="")),
        json_refusal(IN_BASE64),
        answer(f'{{"data": {{"{ESCAPED}": "{ESCAPED}"}}}}', 400),
        answer(f'{{"detail": "{ESCAPED}"}}', 500),
        answer(f'{{"{ESCAPED}": 1}}'),
        answer(f'{{"data": {{"{ESCAPED}": 1}}}}'),
        answer(f'{{"data": {{"id": "{ESCAPED}", "status": "{ESCAPED}"}}}}'),
        answer("", 302, {"Location": f"/{quote(SPECIAL, safe='')}/login"}),
        answer("x", 200, {"Content-Encoding": SPECIAL}),
        answer("x", 200, {"Content-Type": f"text/html; x={SPECIAL}"}),
    ],
)
def test_a_token_is_masked_however_the_server_echoes_it(engine, access, raw_server, caplog, reply):
    caplog.set_level(logging.DEBUG)
    raw_server.reply = reply
    with pytest.raises(DbtCloudError) as refused:
        engine.ask(access(raw_server.url, token=SPECIAL), endpoints.get_run(1, 2), retry=TWICE)
    shown = told(refused.value) + caplog.text + repr(vars(refused.value))
    for form in (SPECIAL, ESCAPED, quote(SPECIAL, safe=""), IN_BASE64):
        assert form not in shown


@pytest.mark.parametrize("field", ["message", SPECIAL])
def test_a_graphql_error_in_a_200_is_masked(engine, access, raw_server, field):
    raw_server.reply = answer(f'{{"data": null, "errors": [{{"{field}": "no {ESCAPED}"}}]}}')
    with pytest.raises(DbtCloudError) as refused:
        engine.ask(access(raw_server.url, token=SPECIAL), discovery.query("{ x }"), retry=TWICE)
    assert "no ***" in str(refused.value)
    assert SPECIAL not in told(refused.value) + repr(vars(refused.value))


@pytest.mark.parametrize("before", [0, 29_980, 29_999, 60_000, 100_000])
def test_a_very_long_text_shows_no_part_of_a_token(access, before):
    text = "x" * before + SPECIAL + "y" * (130_000 - before)
    shown = access("http://127.0.0.1:1", token=SPECIAL).mask(text)
    assert len(shown) < 60_000
    assert not {SPECIAL[at : at + 6] for at in range(len(SPECIAL) - 6)} & {
        shown[at : at + 6] for at in range(len(shown))
    }


def test_a_token_in_the_host_is_masked(engine, access):
    credentials = access(f"http://{TOKEN}.invalid", timeout=0.5)
    with pytest.raises(DbtCloudError) as refused:
        engine.ask(credentials, endpoints.get_run(1, 2), retry=TWICE)
    assert TOKEN not in (told(refused.value) + repr(credentials)).lower()


def test_a_token_as_the_account_id_is_masked(engine, access, raw_server):
    with pytest.raises(InvalidArgument) as refused:
        engine.ask(access(raw_server.url), endpoints.get_run(TOKEN, 2), retry=TWICE)
    assert TOKEN not in told(refused.value)
    assert "not a valid account id" in str(refused.value)


def test_secrets_are_in_no_repr():
    credentials = Credentials(
        base_url="https://ab123.us1.dbt.com",
        token=TOKEN,
        transport=Transport(proxies={"https": f"http://u:{PASSWORD}@proxy:3128"}),
    )
    assert "ab123" in repr(credentials)
    assert TOKEN not in repr(credentials)
    assert PASSWORD not in repr(credentials)


@pytest.mark.parametrize("token", ["two\nlines", "0uter ", " 0uter", "tökén", "a\0b", "a\tb"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_shown(token):
    with pytest.raises(InvalidArgument, match="cannot be sent") as refused:
        Credentials(base_url="https://x", token=token)
    assert token.strip() not in told(refused.value)


def test_no_token_masks_nothing():
    assert Credentials(base_url="https://x", token="").mask("plain text") == "plain text"


def test_the_discovery_api_has_an_address_of_its_own():
    request = Request("POST", "/graphql", body={}, service="discovery")
    plain = Credentials(base_url="https://ab123.us1.dbt.com", token=TOKEN)
    assert plain.url(request) == "https://ab123.metadata.us1.dbt.com/graphql"
    told_where = Credentials(base_url="https://x", token=TOKEN, discovery_url="https://y/graphql")
    assert told_where.url(request) == "https://y/graphql"
    assert told_where.url(Request("GET", "/api/")) == "https://x/api/"


def test_netrc_does_not_replace_the_token(engine, access, raw_server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    engine.ask(access(raw_server.url), endpoints.get_run(1, 2))
    assert raw_server.received[0].headers["authorization"] == f"Token {TOKEN}"
