"""`dbtcloud serve` with a certificate: https, in the foreground and in the background."""

import subprocess
import sys

import pytest
import requests

from served import Serving, refusal, serve


@pytest.fixture
def files(home):
    """The options that name a certificate made as the documentation says, and its authority's certificate."""
    made = [sys.executable, "-m", "trustme", "-q", "-i", "localhost", "127.0.0.1", "-d", str(home)]
    subprocess.run(made, check=True, timeout=60)
    return (
        ["--tls-certificate", str(home / "server.pem"), "--tls-key", str(home / "server.key")],
        str(home / "client.pem"),
    )


def jobs(served: Serving, authority: str) -> int:
    connection = served.connection
    headers = {"Authorization": f"Bearer {connection['password']}"}
    url = f"{connection['host']}/api/v2/accounts/1/jobs/"
    assert url.startswith("https://127.0.0.1:")
    return requests.get(url, headers=headers, verify=authority, timeout=10).status_code


def test_a_foreground_server_serves_https(files):
    options, authority = files
    with serve("--memory", *options) as served:
        assert jobs(served, authority) == 200


def test_a_background_server_serves_https(files):
    options, authority = files
    started = refusal("serve", "--background", "--memory", "--port", "0", *options)
    try:
        assert started.returncode == 0, started.stderr
        assert jobs(Serving(None, started.stdout.splitlines()), authority) == 200
    finally:
        assert refusal("serve", "--stop", "--memory").returncode == 0


def test_a_key_without_a_certificate_is_refused(files):
    options, _ = files
    assert "--tls-key needs --tls-certificate" in refusal("serve", "--memory", *options[2:]).stderr


def test_an_invalid_certificate_is_an_error_of_one_line(home):
    ended = refusal("serve", "--memory", "--tls-certificate", str(home / "none.pem"))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{home / 'none.pem'} cannot be used" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
