"""The certificate of an HTTPS server."""

import pytest
import requests
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dbtcloud.local.model.api_errors import LocalServerError
from dbtcloud.local.server.in_thread import LocalDbtCloud
from dbtcloud.local.server.settings import ServerSettings


@pytest.fixture
def files(tmp_path):
    """A certificate, its key, both in one, and the authority's certificate."""
    authority = trustme.CA()
    signed = authority.issue_cert("127.0.0.1")
    made = {name: tmp_path / f"{name}.pem" for name in ("certificate", "key", "both", "authority")}
    signed.cert_chain_pems[0].write_to_path(str(made["certificate"]))
    signed.private_key_pem.write_to_path(str(made["key"]))
    signed.private_key_and_cert_chain_pem.write_to_path(str(made["both"]))
    authority.cert_pem.write_to_path(str(made["authority"]))
    return made


@pytest.mark.parametrize("names", [("certificate", "key"), ("both",)])
def test_clients_that_trust_the_authority_are_served(files, names):
    with LocalDbtCloud(ssl_context=ServerSettings.tls_context(*(files[name] for name in names))) as cloud:
        headers = {"Authorization": f"Token {cloud.token}"}
        url = f"{cloud.url}/api/v2/accounts/"

        assert requests.get(url, headers=headers, verify=files["authority"], timeout=9).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url, timeout=9)


@pytest.mark.parametrize(
    "names", [("certificate",), ("certificate", "authority"), ("none",), ("key", "none")]
)
def test_the_error_for_unusable_files_names_them_and_says_what_to_do(files, names, tmp_path):
    given = [files.get(name, tmp_path / name) for name in names]

    with pytest.raises(LocalServerError, match="python -m trustme") as refused:
        ServerSettings.tls_context(*given)
    assert all(str(file) in str(refused.value) for file in given)


def test_a_key_with_a_password_is_refused_without_a_prompt(files, tmp_path):
    key = load_pem_private_key(files["key"].read_bytes(), None)
    locked = tmp_path / "locked.pem"
    encryption = BestAvailableEncryption(b"dough")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption))

    with pytest.raises(LocalServerError, match="without a password"):
        ServerSettings.tls_context(files["certificate"], locked)
