"""Credentials come from one place, in the documented order, and no token goes to a warehouse."""

import logging
import sys

import pytest

from dbtcloud.errors import CredentialsMissing, InvalidArgument
from dbtcloud.resources.base.credential_sources import find_credentials

OWN = {"DBT_CLOUD_TOKEN": "own", "DBT_CLOUD_ACCOUNT_ID": "1", "DBT_CLOUD_HOST": "own.us1.dbt.com"}
DLT = {"DBT_CLOUD__API_TOKEN": "dlt", "DBT_CLOUD__ACCOUNT_ID": "2"}
BARE = {"DBT_TOKEN": "bare", "DBT_ACCOUNT_ID": "4", "DBT_BASE_URL": "https://bare.us1.dbt.com/api"}
FILE = """
version: "1"
context: {active-host: other.us1.dbt.com, active-project: "7"}
projects:
  - {project-id: "6", account-id: "9", account-host: nine.us1.dbt.com, token-value: nine}
  - {project-name: Shop, project-id: "7", account-id: "3", account-host: file.us1.dbt.com, token-value: file}
"""


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    """An environment without any of the names, and a home without files."""
    for name in ("HOST", "ACCESS_URL", "BASE_URL", "TOKEN", "API_TOKEN", "API_KEY", "SERVICE_TOKEN"):
        monkeypatch.delenv(f"DBT_CLOUD_{name}", raising=False)
    for name in (*OWN, *DLT, *BARE, "DBT_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def set_all(monkeypatch):
    def set_variables(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_variables


@pytest.fixture
def file(tmp_path):
    """A function that writes `~/.dbt/dbt_cloud.yml`."""
    folder = tmp_path / ".dbt"
    folder.mkdir()
    return (folder / "dbt_cloud.yml").write_text


def facts(credentials):
    return credentials.token, credentials.account_id, credentials.base_url


@pytest.mark.parametrize(
    "token", ["DBT_CLOUD_TOKEN", "DBT_CLOUD_API_TOKEN", "DBT_CLOUD_API_KEY", "DBT_CLOUD_SERVICE_TOKEN"]
)
@pytest.mark.parametrize("host", ["DBT_CLOUD_HOST", "DBT_CLOUD_ACCESS_URL", "DBT_CLOUD_BASE_URL"])
def test_each_name_of_a_token_and_of_a_host_is_read(set_all, token, host):
    set_all(**{token: "secret", host: "https://ab123.us1.dbt.com/api", "DBT_CLOUD_ACCOUNT_ID": "5"})
    assert facts(find_credentials()) == ("secret", "5", "https://ab123.us1.dbt.com")


def test_the_names_of_one_place_have_an_order(set_all):
    names = ["DBT_CLOUD_TOKEN", "DBT_CLOUD_API_TOKEN", "DBT_CLOUD_API_KEY", "DBT_CLOUD_SERVICE_TOKEN"]
    hosts = ["DBT_CLOUD_HOST", "DBT_CLOUD_ACCESS_URL", "DBT_CLOUD_BASE_URL"]
    for name in reversed(names):
        set_all(**{name: name.lower(), "DBT_CLOUD_BASE_URL": "z.us1.dbt.com"})
        assert find_credentials().token == name.lower()
    for host in reversed(hosts):
        set_all(**{host: f"{len(host)}.us1.dbt.com"})
        assert find_credentials().base_url == f"https://{len(host)}.us1.dbt.com"


def test_dlts_variables_take_the_host_of_dbt_cloud(set_all):
    set_all(**DLT, DBT_CLOUD_HOST="ab123.us1.dbt.com")
    assert facts(find_credentials()) == ("dlt", "2", "https://ab123.us1.dbt.com")


def test_the_active_project_of_the_file_is_read(file):
    file(FILE)
    assert facts(find_credentials()) == ("file", "3", "https://file.us1.dbt.com")


def test_a_file_with_one_project_needs_no_active_one(file):
    file("projects: [{account-id: 3, account-host: file.us1.dbt.com, token-value: file}]")
    assert facts(find_credentials()) == ("file", "3", "https://file.us1.dbt.com")


@pytest.mark.parametrize("host", ["DBT_BASE_URL", "DBT_HOST"])
def test_the_bare_names_are_read_last(set_all, file, host):
    set_all(DBT_TOKEN="bare", DBT_ACCOUNT_ID="4", **{host: "bare.us1.dbt.com"})
    assert facts(find_credentials()) == ("bare", "4", "https://bare.us1.dbt.com")
    file(FILE)
    assert find_credentials().token == "file"
    set_all(**DLT, DBT_CLOUD_HOST="ab123.us1.dbt.com")
    assert find_credentials().token == "dlt"
    set_all(**OWN)
    assert facts(find_credentials()) == ("own", "1", "https://own.us1.dbt.com")


def test_the_host_of_another_place_is_not_borrowed(set_all, file):
    file(FILE)
    set_all(DBT_CLOUD_TOKEN="own", DBT_HOST="warehouse.example.com")
    with pytest.raises(CredentialsMissing, match=r"No host .*no host is there.*Access URL") as caught:
        find_credentials()
    assert "own'" not in str(caught.value)


def test_no_token_goes_to_a_host_that_may_be_a_warehouse(set_all):
    set_all(
        DBT_HOST="warehouse.example.com", DBT_BASE_URL="https://elsewhere.example.com", DBT_TOKEN="warehouse"
    )
    with pytest.raises(CredentialsMissing, match="No host"):
        find_credentials("dbtc_secret", 1)


@pytest.mark.parametrize(
    "warehouse",
    [
        "warehouse.example.com",
        "localhost",
        "127.0.0.1",
        "https://adb-1.azuredatabricks.net",
        "dbt.com.example",
    ],
)
def test_no_token_goes_to_the_host_of_a_profile(set_all, warehouse):
    set_all(DBT_TOKEN="dbtc_secret", DBT_ACCOUNT_ID="4", DBT_HOST=warehouse)
    with pytest.raises(
        CredentialsMissing, match=r"may be the host of a warehouse.*set DBT_BASE_URL"
    ) as caught:
        find_credentials()
    assert warehouse not in str(caught.value)
    set_all(DBT_BASE_URL="https://dbt.example.com/api")
    assert find_credentials().base_url == "https://dbt.example.com"


@pytest.mark.parametrize(
    "host", ["cloud.getdbt.com", "https://AB123.us1.dbt.com/api", "http://127.0.0.1:8580"]
)
def test_a_bare_host_that_is_certainly_dbt_clouds_is_used(set_all, host):
    set_all(DBT_TOKEN="bare", DBT_HOST=host)
    assert find_credentials().base_url == host.lower().removesuffix("/api").replace(
        "cloud.", "https://cloud."
    )


def test_settings_of_django_are_read(set_all):
    set_all(DBT_BASE_URL="https://cloud.getdbt.com/api", DBT_TOKEN="bare", DBT_ACCOUNT_ID="23489")
    assert facts(find_credentials()) == ("bare", "23489", "https://cloud.getdbt.com")


def test_a_host_that_is_no_address_is_named_by_its_place(set_all):
    set_all(**OWN | {"DBT_CLOUD_HOST": "user:secret@ab123.us1.dbt.com"})
    with pytest.raises(InvalidArgument, match=r"not a valid address.*from DBT_CLOUD_HOST") as caught:
        find_credentials()
    assert "secret" not in str(caught.value)


class SecretText:
    """As pydantic's SecretStr."""

    def get_secret_value(self):
        return "secret"


@pytest.mark.parametrize(("token", "fix"), [(SecretText(), "get_secret_value"), (b"secret", "decode")])
def test_a_token_that_is_no_text_is_refused(token, fix):
    with pytest.raises(InvalidArgument, match=f"token is of the type .*no text.*{fix}"):
        find_credentials(token, 1, "ab123.us1.dbt.com")


def test_what_is_given_is_combined_with_one_place(set_all, file):
    file(FILE)
    assert facts(find_credentials("given")) == ("given", "3", "https://file.us1.dbt.com")
    assert facts(find_credentials(host="ab123.us1.dbt.com")) == ("file", "3", "https://ab123.us1.dbt.com")
    assert facts(find_credentials(account_id=8)) == ("file", "8", "https://file.us1.dbt.com")
    assert facts(find_credentials("given", 8, "ab123.us1.dbt.com")) == (
        "given",
        "8",
        "https://ab123.us1.dbt.com",
    )
    set_all(**OWN)
    assert facts(find_credentials("given")) == ("given", "1", "https://own.us1.dbt.com")


def test_an_empty_variable_counts_as_unset(set_all, file):
    set_all(DBT_CLOUD_TOKEN=" ", DBT_CLOUD_HOST="")
    file(FILE)
    assert find_credentials().token == "file"


def test_without_credentials_every_place_is_named_and_no_value(set_all):
    set_all(DBT_CLOUD_HOST="ab123.us1.dbt.com")
    with pytest.raises(CredentialsMissing) as caught:
        find_credentials()
    names = (
        "DBT_CLOUD_TOKEN",
        "DBT_CLOUD_SERVICE_TOKEN",
        "DBT_CLOUD__API_TOKEN",
        "dbt_cloud.yml",
        "DBT_TOKEN",
    )
    assert [name for name in names if name not in str(caught.value)] == []
    assert "ab123" not in str(caught.value)
    assert (caught.value.missing, len(caught.value.searched)) == ("token", 4)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("projects: [", "is not valid YAML"),
        ("projects: []", "lists no projects"),
        ("[1]", "lists no projects"),
        ("projects: [{project-id: 1, token-value: secret}, {project-id: 2}]", "does not say which"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_its_values(file, text, fault):
    file(text)
    with pytest.raises(CredentialsMissing, match=fault) as caught:
        find_credentials()
    assert "secret" not in str(caught.value)


def test_without_pyyaml_the_extra_is_named(file, monkeypatch):
    file(FILE)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(CredentialsMissing, match=r"install dbtcloud\[yaml\]"):
        find_credentials()


def test_the_log_names_the_place_and_no_value(set_all, caplog):
    set_all(**OWN, **BARE)
    with caplog.at_level(logging.DEBUG, "dbtcloud"):
        find_credentials()
    assert "comes from DBT_CLOUD_TOKEN, DBT_CLOUD_ACCOUNT_ID, DBT_CLOUD_HOST. " in caplog.text
    assert "Not used: DBT_TOKEN." in caplog.text
    assert not {"own", "bare"} & set(caplog.text.replace(".", " ").split())


def test_the_log_names_the_winner_of_two_names_of_a_place(set_all, caplog, file):
    set_all(DBT_CLOUD_API_KEY="second", DBT_CLOUD_API_TOKEN="first", DBT_CLOUD_BASE_URL="ab123.us1.dbt.com")
    file(FILE)
    with caplog.at_level(logging.DEBUG, "dbtcloud"):
        assert find_credentials().token == "first"
    assert "comes from DBT_CLOUD_API_TOKEN, DBT_CLOUD_BASE_URL. " in caplog.text
    assert "Not used: DBT_CLOUD_API_KEY, ~/.dbt/dbt_cloud.yml." in caplog.text


def test_nothing_is_searched_where_all_is_given(set_all, caplog):
    set_all(**OWN)
    with caplog.at_level(logging.DEBUG, "dbtcloud"):
        find_credentials("given", 8, "ab123.us1.dbt.com")
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"DBT_CLOUD_TOKEN": "t"}, "DBT_CLOUD_HOST"),
        (DLT, "DBT_CLOUD_HOST"),
        ({"DBT_TOKEN": "t"}, "DBT_BASE_URL"),
    ],
)
def test_a_missing_host_is_to_be_set_where_the_token_is(set_all, variables, name):
    set_all(**variables)
    with pytest.raises(CredentialsMissing, match=f"or set {name}: it is the Access URL"):
        find_credentials()


def test_a_missing_host_of_the_file_is_to_be_set_in_it(file):
    file("projects: [{account-id: 3, token-value: file}]")
    with pytest.raises(CredentialsMissing, match=r"or set account-host in ~/.dbt/dbt_cloud\.yml"):
        find_credentials()


def test_an_account_that_is_no_number_is_named_by_its_place(set_all):
    set_all(**OWN | {"DBT_CLOUD_ACCOUNT_ID": "secret-shop"})
    with pytest.raises(InvalidArgument, match="account id of dbt Cloud is not a number") as caught:
        find_credentials()
    assert "secret-shop" not in str(caught.value)
