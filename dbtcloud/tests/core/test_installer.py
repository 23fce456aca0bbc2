from pathlib import Path

import pytest

from dbtcloud.core.installer import Installer


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("pip", "uv"),
    [
        ({"PIP_INDEX_URL": "https://a/simple"}, {"UV_DEFAULT_INDEX": "https://a/simple"}),
        (
            {"PIP_EXTRA_INDEX_URL": "https://a/simple\nhttps://b/simple"},
            {"UV_INDEX": "https://a/simple https://b/simple", "UV_INDEX_STRATEGY": "unsafe-best-match"},
        ),
        ({"PIP_FIND_LINKS": "/a /b"}, {"UV_FIND_LINKS": "/a,/b"}),
        ({"PIP_NO_INDEX": "true"}, {"UV_NO_INDEX": "1"}),
        ({"PIP_NO_INDEX": "0"}, {}),
        ({"PIP_PROXY": "http://proxy:3128"}, {"ALL_PROXY": "http://proxy:3128"}),
        ({"PIP_CERT": "/ca.pem"}, {"SSL_CERT_FILE": "/ca.pem"}),
        ({"PIP_TRUSTED_HOST": "a b:8080"}, {"UV_INSECURE_HOST": "a b:8080"}),
        ({"PIP_DEFAULT_TIMEOUT": "99"}, {"UV_HTTP_TIMEOUT": "99"}),
        ({"PIP_INDEX_URL": ""}, {}),
    ],
)
def test_a_setting_of_pip_is_translated_for_uv(home, pip, uv):
    assert Installer.uv_variables(pip, files=()) == uv


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"])
def test_an_index_of_uv_is_not_overridden(home, name):
    given = {name: "https://uv/simple", "PIP_INDEX_URL": "https://a", "PIP_EXTRA_INDEX_URL": "https://b"}

    assert Installer.uv_variables(given, files=()) == {}


def test_a_configuration_file_of_uv_is_not_overridden(home):
    (home / ".config" / "uv").mkdir(parents=True)
    (home / ".config" / "uv" / "uv.toml").touch()

    assert Installer.uv_variables({"PIP_INDEX_URL": "https://a"}, files=()) == {}


def test_a_certificate_that_is_already_set_does_not_change(home):
    assert Installer.uv_variables({"PIP_CERT": "/pip.pem", "SSL_CERT_FILE": "/mine.pem"}, files=()) == {}


def test_later_files_the_install_section_and_variables_override(home, tmp_path):
    weak, strong = tmp_path / "weak.conf", tmp_path / "strong.conf"
    weak.write_text("[global]\nindex_url = https://weak\ntimeout = 5\ncert = /weak.pem\n")
    strong.write_text("[global]\nindex-url = https://global\n[install]\nindex-url = https://install\n")

    assert Installer.uv_variables({"PIP_CERT": "/env.pem"}, files=(weak, strong)) == {
        "UV_DEFAULT_INDEX": "https://install",
        "UV_HTTP_TIMEOUT": "5",
        "SSL_CERT_FILE": "/env.pem",
    }


def test_the_users_own_file_is_read(home):
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://mine\n")

    assert Installer.uv_variables({})["UV_DEFAULT_INDEX"] == "https://mine"


def test_no_file_is_read_if_a_variable_of_pip_says_so(home):
    (home / ".config" / "pip").mkdir(parents=True)
    (home / ".config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://mine\n")

    assert Installer.uv_variables({"PIP_CONFIG_FILE": "/dev/null"}) == {}
