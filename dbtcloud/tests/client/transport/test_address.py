"""From what people write as a host to an address that both wires understand alike."""

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url
from yarl import URL

from dbtcloud.client.errors import InvalidArgument
from dbtcloud.client.transport.address import base_url, discovery_url, is_loopback


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("ab123.us1.dbt.com", "https://ab123.us1.dbt.com"),
        (" ab123.us1.dbt.com\n", "https://ab123.us1.dbt.com"),
        ("https://ab123.us1.dbt.com", "https://ab123.us1.dbt.com"),
        ("https://ab123.us1.dbt.com/", "https://ab123.us1.dbt.com"),
        ("https://ab123.us1.dbt.com/deploy/1/projects/2?x=1#y", "https://ab123.us1.dbt.com"),
        ("ab123.us1.dbt.com/api/v2/", "https://ab123.us1.dbt.com"),
        ("HTTPS://AB123.us1.dbt.com", "https://ab123.us1.dbt.com"),
        ("dbt.example:8443", "https://dbt.example:8443"),
        ("localhost:8543", "https://localhost:8543"),
        ("http://127.0.0.1:8580", "http://127.0.0.1:8580"),
        ("http://localhost:8580/", "http://localhost:8580"),
        ("http://[::1]:8580", "http://[::1]:8580"),
        ("[2001:db8::1]", "https://[2001:db8::1]"),
        ("http://my.localhost", "http://my.localhost"),
    ],
)
def test_a_host_may_be_written_in_many_ways(host, url):
    assert base_url(host) == url


def test_a_port_and_a_scheme_beside_the_host_are_used_where_the_host_has_none():
    assert base_url("127.0.0.1", port=8580, scheme="http") == "http://127.0.0.1:8580"
    assert base_url("https://ab.us1.dbt.com:444", port=8580, scheme="http") == "https://ab.us1.dbt.com:444"


@pytest.mark.parametrize(
    "host", ["http://ab123.us1.dbt.com", "http://10.0.0.1:8580", "http://127.0.0.1.nip.io"]
)
def test_http_off_this_machine_is_refused(host):
    with pytest.raises(InvalidArgument) as refused:
        base_url(host)
    assert "unencrypted" in refused.value.what
    assert refused.value.fix == "Use https://"


def test_http_to_a_named_host_is_let_through():
    assert base_url("http://Dbt-Local:8580", insecure_hosts={"dbt-local"}) == "http://dbt-local:8580"
    assert base_url("http://dbt-local:8580", insecure_hosts={"DBT-Local"}) == "http://dbt-local:8580"
    with pytest.raises(InvalidArgument, match="or name it in allow_insecure_http"):
        base_url("http://other:8580", insecure_hosts={"dbt-local"})


@pytest.mark.parametrize(
    "host",
    [
        *(
            "https://",
            "https:/ab123.us1.dbt.com",
            "HTTP:ab123.us1.dbt.com",
            "ftp://x",
            "a b",
            "x:port",
            "x:0",
            "x:70000",
            "user:pw@x",
            "https://a@b",
            "[::1",
            "::1",
            "?",
        ),
        *(
            "good.example\\evil.example",
            "a%2eb",
            "a,b",
            "bücher.de",
            "a b.de",
            "a..b",
            ".a",
            "a*b",
            f"{'a' * 64}.com",
            "a." * 127 + "com",
        ),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(host):
    with pytest.raises(InvalidArgument) as refused:
        base_url(host)
    assert "ab123.us1.dbt.com" in refused.value.fix
    assert "pw" not in str(refused.value)


def host_of_requests(url: str) -> tuple[str, str | None, int | None, str | None]:
    parsed = parse_url(requests.Request("GET", url).prepare().url)
    return parsed.scheme, parsed.host.strip("[]"), parsed.port, parsed.path


def host_of_aiohttp(url: str) -> tuple[str, str | None, int | None, str | None]:
    parsed = URL(url, encoded=True)
    return parsed.scheme, parsed.raw_host, parsed.explicit_port, parsed.raw_path


nasty = st.text(alphabet="ab1.:/\\@[]%?#-_ ~\t*é", max_size=16)
schemes = st.sampled_from(["", "https://", "http://", "HTTP://", "//"])


@given(st.one_of(st.text(), st.builds("".join, st.tuples(schemes, nasty)), st.ip_addresses().map(str)))
def test_both_wires_go_to_the_same_host_or_to_none(host):
    try:
        url = base_url(host) + "/api/"
    except InvalidArgument:
        return
    assert host_of_requests(url) == host_of_aiohttp(url)
    scheme, name, _, path = host_of_aiohttp(url)
    assert path == "/api/"
    assert scheme == "https" or is_loopback(name)


@pytest.mark.parametrize(
    ("admin", "discovery"),
    [
        ("https://ab123.us1.dbt.com", "https://ab123.metadata.us1.dbt.com/graphql"),
        ("https://cloud.getdbt.com", "https://metadata.cloud.getdbt.com/graphql"),
        ("https://emea.dbt.com", "https://metadata.emea.dbt.com/graphql"),
        ("https://au.dbt.com", "https://metadata.au.dbt.com/graphql"),
        ("http://127.0.0.1:8580", "http://127.0.0.1:8580/graphql"),
        ("http://[::1]:8580", "http://[::1]:8580/graphql"),
    ],
)
def test_the_discovery_api_is_beside_the_account(admin, discovery):
    assert discovery_url(admin) == discovery


ACCOUNT = "https://ab123.us1.dbt.com", "https://ab123.metadata.us1.dbt.com/graphql"


@pytest.mark.parametrize("scheme", ["", "https://", "HTTPS://"])
@pytest.mark.parametrize("name", ["ab123.us1.dbt.com", "AB123.US1.dbt.com"])
@pytest.mark.parametrize(
    "rest", ["", "/", "/api", "/api/", "/api/v2", "/api/v2/accounts/1/", "/deploy/1/projects/2/runs/3?x=1#y"]
)
def test_every_spelling_of_a_host_gives_both_addresses(scheme, name, rest):
    admin = base_url(f"{scheme}{name}{rest}")
    assert (admin, discovery_url(admin)) == ACCOUNT


def with_metadata(region: str) -> tuple[str, str]:
    return f"ab123.{region}.dbt.com", f"ab123.metadata.{region}.dbt.com"


@pytest.mark.parametrize(
    ("host", "discovery"),
    [
        *(with_metadata(region) for region in ("us1", "eu1", "au1", "jp1")),  # AWS
        *(with_metadata(region) for region in ("us2", "eu2", "au2")),  # Azure
        *(with_metadata(region) for region in ("us3", "eu3", "eu4")),  # Google Cloud
        with_metadata("single-tenant"),
        ("cloud.getdbt.com", "metadata.cloud.getdbt.com"),
        ("emea.dbt.com", "metadata.emea.dbt.com"),
        ("au.dbt.com", "metadata.au.dbt.com"),
        ("acme.getdbt.com", "metadata.acme.getdbt.com"),
    ],
)
def test_every_region_has_its_discovery_api(host, discovery):
    admin = base_url(f"{host}/api")
    assert (admin, discovery_url(admin)) == (f"https://{host}", f"https://{discovery}/graphql")
    # Also where the address of another service was copied.
    assert base_url(f"https://{discovery}/graphql") == admin
    assert base_url(discovery.replace("metadata", "semantic-layer")) == admin


def test_a_prefix_that_ends_like_a_service_stays():
    assert base_url("my-metadata.us1.dbt.com") == "https://my-metadata.us1.dbt.com"
    assert base_url("ab123.metadata.example.com") == "https://ab123.metadata.example.com"
