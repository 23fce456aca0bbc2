"""The network as the connection says, alike for verbs of the worker and verbs of an event loop."""

import logging
import time
from urllib.parse import urlsplit

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from wires.raw import answer, envelope
from wires.secrets import told

RUN = answer(envelope({"id": 7, "status": 10, "results": []}))
ACCOUNT_HOST = "https://ab123.us1.dbt.com"


@pytest.fixture
def behind(proxy_to):
    """A proxy that leads the name of a real account to a local dbt Cloud."""

    def make(cloud):
        return proxy_to({"ab123.us1.dbt.com": ("127.0.0.1", urlsplit(cloud.url).port)})

    return make


@pytest.mark.parametrize("named_by", ["verify", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_authority_is_trusted_where_it_is_named(
    connect, tls_cloud, with_run_7, authority, monkeypatch, status_of_run_7, named_by
):
    extra = {"verify": authority.file} if named_by == "verify" else {}
    if not extra:
        monkeypatch.setenv(named_by, authority.file)
    assert status_of_run_7(connect(with_run_7(tls_cloud), extra=extra)) == 10


def test_the_connections_authority_goes_before_the_environments(
    connect, tls_cloud, with_run_7, authority, other_authority, monkeypatch, status_of_run_7
):
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, other_authority.file)
    assert status_of_run_7(connect(with_run_7(tls_cloud), extra={"verify": authority.file})) == 10


@pytest.mark.parametrize("trusted", ["nobody in particular", "another authority", "the environment, ignored"])
def test_a_certificate_of_an_unknown_authority_is_refused_with_what_to_do(
    connect, tls_cloud, with_run_7, authority, other_authority, monkeypatch, status_of_run_7, trusted
):
    extra = {"another authority": {"verify": other_authority.file}}.get(trusted, {})
    if trusted == "the environment, ignored":
        extra = {"trust_env": False}
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, authority.file)
    with pytest.raises(DbtCloudApiException, match="CERTIFICATE_VERIFY_FAILED") as refused:
        status_of_run_7(connect(with_run_7(tls_cloud), extra=extra))
    assert "'verify'" in str(refused.value)
    assert not refused.value.error.sent


@pytest.mark.parametrize("verify", [False, "false", "False", 0])
def test_verification_can_be_switched_off(connect, tls_cloud, with_run_7, status_of_run_7, verify):
    assert status_of_run_7(connect(with_run_7(tls_cloud), extra={"verify": verify})) == 10


@pytest.mark.parametrize("form", ["one file", "a pair", "a pair as text"])
def test_a_client_certificate_is_shown(connect, guarded_cloud, with_run_7, authority, status_of_run_7, form):
    both, cert, key = authority.client()
    shown = {"one file": both, "a pair": [cert, key], "a pair as text": f'["{cert}", "{key}"]'}[form]
    extra = {"verify": authority.file, "cert": shown}
    assert status_of_run_7(connect(with_run_7(guarded_cloud), extra=extra)) == 10


def test_without_a_client_certificate_a_server_that_asks_for_one_gives_no_answer(
    connect, guarded_cloud, with_run_7, authority, status_of_run_7
):
    with pytest.raises(DbtCloudApiException, match="No answer came from https://127"):
        status_of_run_7(connect(with_run_7(guarded_cloud), extra={"verify": authority.file}))


@pytest.mark.parametrize(("field", "named"), [("verify", "'verify'"), ("cert", "'cert'")])
def test_a_certificate_file_that_is_not_there_is_named(connect, tls_cloud, status_of_run_7, field, named):
    with pytest.raises(DbtCloudApiException, match="There is no certificate at /no/such") as refused:
        status_of_run_7(connect(tls_cloud, extra={field: "/no/such.pem"}))
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "named_by", ["proxies", "proxies as text", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]
)
def test_an_authenticating_proxy_is_gone_through(
    connect, tls_cloud, with_run_7, authority, behind, monkeypatch, status_of_run_7, named_by
):
    proxy = behind(with_run_7(tls_cloud))
    extra = {"verify": authority.file}
    if named_by.startswith("proxies"):
        extra["proxies"] = {"https": proxy.url} if named_by == "proxies" else f'{{"https": "{proxy.url}"}}'
    else:
        monkeypatch.setenv(named_by, proxy.url)
    hook = connect(tls_cloud, host=ACCOUNT_HOST, extra=extra)
    assert status_of_run_7(hook) == 10
    assert proxy.seen.let_through == ["CONNECT ab123.us1.dbt.com:443"]


def test_a_proxy_is_gone_through_for_http_too(connect, dbt_cloud, with_run_7, proxy_to, status_of_run_7):
    port = urlsplit(with_run_7(dbt_cloud).url).port
    proxy = proxy_to({"dbt-local": ("127.0.0.1", port)})
    extra = {"proxies": {"http": proxy.url}, "allow_insecure_http": ["dbt-local"]}
    assert status_of_run_7(connect(dbt_cloud, host="http://dbt-local", extra=extra)) == 10
    assert all(line.startswith("GET http://dbt-local/api/v2/") for line in proxy.seen.let_through)
    assert proxy.seen.let_through


def test_no_proxy_is_heeded(connect, tls_cloud, with_run_7, authority, behind, monkeypatch, status_of_run_7):
    proxy = behind(with_run_7(tls_cloud))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "example.com,127.0.0.0/8")
    assert status_of_run_7(connect(tls_cloud, extra={"verify": authority.file})) == 10
    assert proxy.seen.let_through == []


def test_the_environments_proxy_is_ignored_on_request(
    connect, tls_cloud, with_run_7, authority, behind, monkeypatch, status_of_run_7
):
    proxy = behind(with_run_7(tls_cloud))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    extra = {"verify": authority.file, "trust_env": "false"}
    assert status_of_run_7(connect(tls_cloud, extra=extra)) == 10
    assert proxy.seen.let_through == []


def test_the_connections_proxy_goes_before_the_environments(
    connect, tls_cloud, with_run_7, authority, behind, monkeypatch, closed_port, status_of_run_7
):
    proxy = behind(with_run_7(tls_cloud))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("NO_PROXY", "ab123.us1.dbt.com")
    extra = {"verify": authority.file, "proxies": {"all": proxy.url}}
    assert status_of_run_7(connect(tls_cloud, host=ACCOUNT_HOST, extra=extra)) == 10
    assert len(proxy.seen.let_through) == 1


@pytest.mark.parametrize(
    "wrong", ["http://user:pr0xy-s3cret@127.0.0.1:{port}", "http://user:pr0xy-s3cret@:x"]
)
def test_a_wrong_proxy_is_told_without_its_password(connect, proxy_to, caplog, status_of_run_7, wrong):
    caplog.set_level(logging.DEBUG)
    proxy = proxy_to()
    extra = {"proxies": {"https": wrong.format(port=proxy.port)}}
    with pytest.raises(DbtCloudApiException) as refused:
        status_of_run_7(connect(host=ACCOUNT_HOST, extra=extra))
    assert "pr0xy-s3cret" not in told(refused.value) + caplog.text
    assert "dbtc_a-token" not in told(refused.value) + caplog.text
    assert "proxies" in str(refused.value)


@pytest.mark.parametrize("said_by", ["timeout", "timeout as text", "timeout_seconds"])
def test_a_server_that_never_answers_is_given_up_in_time(connect, raw_server, status_of_run_7, said_by):
    raw_server.silent.set()
    extra = {"timeout": {"timeout": 0.5, "timeout as text": "0.5"}.get(said_by, 60)}
    options = {"timeout_seconds": 0.5} if said_by == "timeout_seconds" else {}
    began = time.monotonic()
    with pytest.raises(DbtCloudApiException, match="No answer came") as refused:
        status_of_run_7(connect(host=raw_server.url, extra=extra, options=options))
    assert time.monotonic() - began < 30
    assert refused.value.error.sent
    # A poll that hangs has failed: the next one comes at its own time. An artifact is requested again.
    assert len(raw_server.received) == (4 if "artifacts" in raw_server.received[0].target else 1)


def test_extras_of_the_connection_never_become_headers(connect, raw_server, status_of_run_7):
    raw_server.reply = RUN
    extra = {"X-Secret": "no", "timeout": 5, "check_response": True, "account_id": "9", "stream": True}
    status_of_run_7(connect(host=raw_server.url, extra=extra))
    (received,) = raw_server.received
    known = {"host", "authorization", "user-agent", "accept", "accept-encoding", "connection"}
    assert set(received.headers) <= known


@pytest.mark.parametrize(
    "extra",
    [
        {"timeout": "soon"},
        {"timeout": 0},
        {"timeout": -1},
        {"trust_env": "maybe"},
        {"verify": [1]},
        {"proxies": "x"},
    ],
)
def test_an_extra_that_cannot_be_read_is_named(connect, raw_server, status_of_run_7, extra):
    (field,) = extra
    with pytest.raises(DbtCloudApiException, match=f"extra field '{field}'"):
        status_of_run_7(connect(host=raw_server.url, extra=extra))
    assert raw_server.received == []


def test_the_token_is_in_no_error_log_or_repr(connect, raw_server, status_of_run_7, caplog):
    caplog.set_level(logging.DEBUG)
    raw_server.reply = answer({"detail": "dbtc_a-token-for-tests is wrong"}, 500)
    hook = connect(host=raw_server.url)
    with pytest.raises(DbtCloudApiException) as refused:
        status_of_run_7(hook)
    everything = told(refused.value) + caplog.text + repr(hook) + repr(hook._credentials)
    assert "dbtc_a-token" not in everything
    assert raw_server.received[0].headers["authorization"] == "Token dbtc_a-token-for-tests"
