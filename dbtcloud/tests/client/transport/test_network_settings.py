"""Both engines trust and show the same certificates."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from dbtcloud.client import endpoints
from dbtcloud.client.errors import InvalidArgument, TransportError
from dbtcloud.client.retry import NO_RETRY
from dbtcloud.client.transport.network_settings import _CA_VARIABLES, Transport
from dbtcloud.local.server.in_thread import LocalDbtCloud


@pytest.fixture
def reach(engine, access):
    def ask(cloud, **transport):
        credentials = access(cloud.url, token=cloud.token, **transport)
        return engine.ask(credentials, endpoints.get_account(1), retry=NO_RETRY).name

    return ask


@pytest.mark.parametrize("variable", _CA_VARIABLES)
def test_an_authority_may_be_named_by_the_environment(reach, tls_cloud, authority, monkeypatch, variable):
    monkeypatch.setenv(variable, authority.file)
    assert reach(tls_cloud) == "Local"
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        reach(tls_cloud, trust_env=False)


def test_the_transports_own_authority_goes_first(reach, tls_cloud, authority, other_authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other_authority.file)
    assert reach(tls_cloud, verify=authority.file) == "Local"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.file)
    with pytest.raises(TransportError):
        reach(tls_cloud, verify=other_authority.file)


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl, which names the files of such a folder, is not here"
)
def test_a_folder_of_authorities_will_do(reach, tls_cloud, authority, tmp_path):
    shutil.copy(authority.file, tmp_path / "ca.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    assert reach(tls_cloud, verify=str(tmp_path)) == "Local"


def test_a_refused_certificate_was_sent_nothing_and_says_what_to_do(reach, tls_cloud):
    with pytest.raises(TransportError) as refused:
        reach(tls_cloud)
    assert not refused.value.sent
    assert "REQUESTS_CA_BUNDLE" in refused.value.fix


def test_a_client_certificate_is_shown_as_one_file_or_as_two(reach, guarded_cloud, authority):
    both, cert, key = authority.client()
    assert reach(guarded_cloud, verify=authority.file, cert=both) == "Local"
    assert reach(guarded_cloud, verify=authority.file, cert=(cert, key)) == "Local"


@pytest.mark.parametrize(
    "transport", [{"verify": "/no/such"}, {"cert": "/no/such"}, {"cert": ("/no/such", "/no/key")}]
)
def test_a_file_that_is_not_there_is_named(reach, tls_cloud, transport):
    with pytest.raises(InvalidArgument, match="no certificate at /no/such"):
        reach(tls_cloud, **transport)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "It is empty"),
        (b"\x30\x82\x01\xff", "It is not in PEM format.*openssl x509"),
        (b"https://ab123.us1.dbt.com", "It is not in PEM format"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "It holds a private key only"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "SSL|ASN1|PEM"),
    ],
)
def test_a_file_without_certificates_is_named_with_the_line_to_change(
    reach, tls_cloud, authority, tmp_path, monkeypatch, content, fault
):
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    with pytest.raises(InvalidArgument, match=rf"{file}.*the setting 'verify'.*{fault}"):
        reach(tls_cloud, verify=str(file))
    with pytest.raises(InvalidArgument, match=rf"client certificate in {file} .*{fault}.*setting 'cert'"):
        reach(tls_cloud, verify=authority.file, cert=str(file))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(file))
    with pytest.raises(InvalidArgument, match=rf"{file}.*the variable CURL_CA_BUNDLE.*{fault}"):
        reach(tls_cloud)


def test_a_key_of_another_certificate_is_refused(reach, guarded_cloud, authority, other_authority):
    cert, key = authority.client()[1], other_authority.client()[2]
    with pytest.raises(InvalidArgument, match=r"The client certificate in .* and .* cannot be used"):
        reach(guarded_cloud, verify=authority.file, cert=(cert, key))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_for_another_name_is_not_blamed_on_verify(engine, access, authority, host):
    with LocalDbtCloud(ssl_context=authority.server("elsewhere.example")) as cloud:
        credentials = access(cloud.url.replace("127.0.0.1", host), verify=authority.file)
        with pytest.raises(TransportError, match="certificate is for another name") as refused:
            engine.ask(credentials, endpoints.get_account(1), retry=NO_RETRY)
    assert "Correct the host" in refused.value.fix
    assert "in the setting 'verify'" not in refused.value.fix


@pytest.mark.parametrize("named_by", ["the setting 'verify'", "the variable SSL_CERT_FILE"])
def test_an_authority_that_is_not_in_the_file_is_named_with_the_file(
    reach, tls_cloud, other_authority, monkeypatch, named_by
):
    monkeypatch.setenv("SSL_CERT_FILE", other_authority.file)
    transport = {"verify": other_authority.file} if "verify" in named_by else {}
    with pytest.raises(TransportError) as refused:
        reach(tls_cloud, **transport)
    assert f"{other_authority.file}, which {named_by} names" in refused.value.fix


def test_a_key_with_a_password_is_refused_rather_than_asked_for(reach, guarded_cloud, authority, tmp_path):
    _, cert, key = authority.client()
    private = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked = tmp_path / "locked.pem"
    form, encryption = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    locked.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, encryption))
    with pytest.raises(InvalidArgument, match="It is encrypted"):
        reach(guarded_cloud, verify=authority.file, cert=(cert, str(locked)))


def test_a_variable_that_names_no_file_is_named(reach, tls_cloud, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such")
    with pytest.raises(InvalidArgument, match="The variable SSL_CERT_FILE"):
        reach(tls_cloud)


def test_both_engines_trust_the_same_authorities_by_default():
    expected = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    assert Transport().ca_certificates() is True
    assert Transport().ssl_context().cert_store_stats() == expected.cert_store_stats()


def test_without_verification_any_server_is_spoken_to(reach, tls_cloud):
    assert reach(tls_cloud, verify=False) == "Local"
