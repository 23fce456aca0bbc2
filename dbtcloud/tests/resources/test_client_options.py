"""Options of a client that cannot be used are refused when it is made, not at its first request."""

import math

import pytest

from dbtcloud import DbtCloudClient, DbtCloudCredentials
from dbtcloud.client.transport.network_settings import Transport
from dbtcloud.errors import InvalidArgument

GIVEN = {"token": "dbtc_a-token", "account_id": 1, "host": "ab123.us1.dbt.com"}


async def _awaited(event):
    """A callback that nobody awaits."""


BAD = [
    *[({"timeout": value}, "The setting 'timeout' is") for value in (0, -1, math.nan, math.inf, "5", True)],
    ({"transport": {"timeout": 30}}, "are of the type dict. Give them as a Transport"),
    ({"transport": {"verify": False}, "timeout": 3}, "are of the type dict"),
    ({"retry": None}, r"retry is None. Give a RetryPolicy"),
    ({"retry": 3}, r"retry is 3. Give a RetryPolicy"),
    ({"on_request": "print"}, "on_request is 'print'.*Give a plain function"),
    ({"on_response": _awaited}, "on_response is .*not awaited"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_they_are_refused(options, message):
    with pytest.raises(InvalidArgument, match=message):
        DbtCloudClient(**GIVEN, **options)
    with DbtCloudClient(**GIVEN) as client, pytest.raises(InvalidArgument, match=message):
        client.with_options(**options)


@pytest.mark.parametrize("name", ["max_json_mib", "max_artifact_mib", "max_compression_ratio"])
def test_a_limit_is_above_zero(name):
    with pytest.raises(InvalidArgument, match=f"The setting '{name}' is 0. Give a number above 0"):
        Transport(**{name: 0})


def test_credentials_take_network_settings_only():
    with pytest.raises(InvalidArgument, match="are of the type int"):
        DbtCloudCredentials("dbtc_a-token", 1, "ab123.us1.dbt.com", transport=30)


@pytest.mark.parametrize(
    ("name", "message"), [("timout", r"Did you mean timeout\?"), ("credentials", "Known are")]
)
def test_an_option_that_there_is_not_is_named(name, message):
    with (
        DbtCloudClient(**GIVEN) as client,
        pytest.raises(InvalidArgument, match=f"'{name}' is not an option.*{message}"),
    ):
        client.with_options(**{name: 3})


def test_without_a_timeout_that_of_the_network_settings_stays():
    with DbtCloudClient(**GIVEN, transport=Transport(timeout=7)) as client:
        assert "timeout=7," in repr(client.with_options(timeout=None))
        assert "timeout=8," in repr(client.with_options(timeout=8))
