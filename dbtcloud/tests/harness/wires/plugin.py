"""Fixtures of real wires."""

import socket
from collections.abc import Callable, Iterator

import pytest

from dbtcloud.local.server.in_thread import LocalDbtCloud
from wires.proxy import Proxy
from wires.raw import RawServer
from wires.tls import Authority

VARIABLES = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NETRC"),
)


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, certificate or netrc file of this machine's environment."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def proxy_to() -> Iterator[Callable[..., Proxy]]:
    """Makes proxies; see `Proxy`."""
    made: list[Proxy] = []

    def make(hosts: dict[str, tuple[str, int]] | None = None) -> Proxy:
        made.append(Proxy(hosts))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other-authority"))


@pytest.fixture(scope="session")
def tls_cloud(authority: Authority) -> Iterator[LocalDbtCloud]:
    """A local dbt Cloud behind a certificate of the private authority."""
    with LocalDbtCloud(ssl_context=authority.server()) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def guarded_cloud(authority: Authority) -> Iterator[LocalDbtCloud]:
    """A local dbt Cloud that asks for a certificate of the client's too."""
    with LocalDbtCloud(ssl_context=authority.server(asks_for_client=True)) as cloud:
        yield cloud
