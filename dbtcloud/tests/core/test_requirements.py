import pytest

from dbtcloud.core.requirements import DBT_REQUIREMENTS, resolve_requirements
from dbtcloud.core.runner_errors import InvalidDbtConfiguration


@pytest.mark.parametrize("version", [None, "", "latest", "versionless", "compatible"])
def test_a_release_track_is_the_newest_version(version):
    assert resolve_requirements(version) == DBT_REQUIREMENTS


@pytest.mark.parametrize(
    ("version", "core"),
    [
        ("1.11", "dbt-core~=1.11.0"),
        ("1.10.x", "dbt-core~=1.10.0"),
        ("1.9.0-latest", "dbt-core~=1.9.0"),
        ("1.11.2", "dbt-core==1.11.2"),
        ("v1.11", "dbt-core~=1.11.0"),
    ],
)
def test_versions_are_read_as_dbt_cloud_writes_them(version, core):
    assert resolve_requirements(version, ["dbt-postgres"]) == (core, "dbt-postgres")


@pytest.mark.parametrize("version", ["1.12", "1.4", "2.0", "newest", "1.11; rm"])
def test_the_error_for_an_unsupported_version_names_the_supported_ones(version):
    with pytest.raises(InvalidDbtConfiguration, match=r"is not supported.*1\.9 to 1\.11.*for example 1\.11"):
        resolve_requirements(version)


def test_adapters_can_have_a_short_name_or_a_version():
    assert resolve_requirements("1.11", ["postgres", "dbt-snowflake==1.11.0"])[1:] == (
        "dbt-postgres",
        "dbt-snowflake==1.11.0",
    )


def test_packages_are_installed_beside_dbt():
    packages = ["pandas", "numpy >=2,<3", "scikit-learn[tests]==1.7", "oven @ file:///home/me/oven"]
    assert resolve_requirements("1.11", ["postgres"], packages)[2:] == tuple(packages)


@pytest.mark.parametrize("package", ["", "-r file.txt", "--index-url=http://x", "pandas --pre", "./oven"])
def test_a_package_begins_with_its_name(package):
    with pytest.raises(InvalidDbtConfiguration, match=r"cannot be installed.*Give a name such as pandas"):
        resolve_requirements(None, (), [package])


@pytest.mark.parametrize(
    "adapter", ["dbt-postgres --index-url http://elsewhere", "dbt-x; rm -rf", "dbt-x @ http://x"]
)
def test_an_adapter_cannot_bring_options_of_the_installer(adapter):
    with pytest.raises(InvalidDbtConfiguration, match="not the name of a package"):
        resolve_requirements(None, [adapter])
