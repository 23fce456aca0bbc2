import asyncio
import json
import os
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from dbtcloud.core import environment
from dbtcloud.core.environment import DbtEnvironment
from dbtcloud.core.installer import Installer
from dbtcloud.core.runner_errors import EnvironmentCreationError

INSTALLERS = [Installer.find(), Installer(uv=None)]
by_uv, by_pip = (
    pytest.param(installer, id=name) for installer, name in zip(INSTALLERS, ("uv", "pip"), strict=True)
)
both = pytest.mark.parametrize("installer", [by_uv, by_pip])
# pip takes seconds for each: one of its cases stands for all, except in make test-all.
with_pip_at_length = pytest.mark.parametrize(
    "installer", [by_uv, pytest.param(INSTALLERS[1], id="pip", marks=pytest.mark.extensive)]
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "dbt"


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


def imported(made: DbtEnvironment, expression: str) -> str:
    code = f"import sys, tiny_oven; print({expression})"
    python = made.folder / "bin" / "python"
    return subprocess.run(
        [python, "-B", "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_uv_of_the_local_extra_is_found():
    assert INSTALLERS[0].uv is not None
    assert INSTALLERS[0].name == "uv"


@both
async def test_an_environment_has_the_requirements_and_their_bytecode(installer, root, requirement):
    made = await environment.DbtEnvironment.create([requirement], root=root, installer=installer)

    assert imported(made, "tiny_oven.HEAT") == "250"
    assert imported(made, "__import__('os').path.exists(tiny_oven.__cached__)") == "True"
    assert made.version("tiny-oven") == "1.0"
    with pytest.raises(PackageNotFoundError):
        made.version("dbt-core")


async def test_an_environment_uses_the_current_interpreter(root, requirement):
    made = await environment.DbtEnvironment.create([requirement], root=root)

    assert imported(made, "sys.version") == sys.version


async def test_an_environment_is_created_only_once(root, requirement):
    lines: list[str] = []
    first = await environment.DbtEnvironment.create([requirement], root=root, progress=lines.append)
    told = list(lines)
    second = await environment.DbtEnvironment.create([requirement], root=root, progress=lines.append)

    assert second == first
    assert told[0].startswith("Creating the dbt environment in ")
    assert lines == told


async def test_other_requirements_have_an_environment_of_their_own(root, requirement):
    first = await environment.DbtEnvironment.create([requirement], root=root)
    second = await environment.DbtEnvironment.create([requirement, "tiny-oven>=1"], root=root)

    assert first.folder != second.folder


async def test_the_order_of_the_requirements_does_not_matter(root, requirement):
    first = await environment.DbtEnvironment.create([requirement, "tiny-oven>=1"], root=root)
    second = await environment.DbtEnvironment.create(["tiny-oven>=1", requirement], root=root)

    assert first == second


async def test_an_environment_that_was_created_through_a_link_outlives_the_link(root, requirement, tmp_path):
    root.mkdir(parents=True, exist_ok=True)
    (tmp_path / "link").symlink_to(root)

    made = await environment.DbtEnvironment.create([requirement], root=tmp_path / "link")

    assert made.folder.parent == root.resolve()


async def test_an_incomplete_environment_is_created_again(root, requirement):
    made = await environment.DbtEnvironment.create([requirement], root=root)
    (made.folder / "dbtcloud.json").unlink()
    (made.folder / "rubble").touch()

    await environment.DbtEnvironment.create([requirement], root=root)

    assert not (made.folder / "rubble").exists()
    assert json.loads((made.folder / "dbtcloud.json").read_text())["requirements"] == [requirement]


async def test_an_environment_without_its_interpreter_is_created_again(root, requirement):
    made = await environment.DbtEnvironment.create([requirement], root=root)
    for name in ("python", "python3"):
        (made.folder / "bin" / name).unlink(missing_ok=True)
    (made.folder / "bin" / "python").symlink_to("/nonexistent/python")

    again = await environment.DbtEnvironment.create([requirement], root=root)

    assert imported(again, "tiny_oven.HEAT") == "250"


async def test_processes_that_need_an_environment_at_the_same_time_create_it_once(root, requirement):
    code = (
        "import asyncio, sys; from pathlib import Path\n"
        "from dbtcloud.core import environment\n"
        "made = asyncio.run(\n"
        "    environment.DbtEnvironment.create([sys.argv[1]], root=Path(sys.argv[2]), progress=print)\n"
        ")\n"
        "print(made.version('tiny-oven'))\n"
    )
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, requirement, str(root), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    told = [(await racer.communicate())[0].decode() for racer in racers]

    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert "".join(told).count("Creating the dbt environment") == 1
    assert all(text.endswith("1.0\n") for text in told)


@with_pip_at_length
async def test_the_index_of_the_user_is_used(installer, root, index, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", index)

    made = await environment.DbtEnvironment.create(["tiny-oven"], root=root, installer=installer)

    assert made.version("tiny-oven") == "1.0"


@with_pip_at_length
async def test_the_configuration_file_of_pip_is_used(installer, root, index, monkeypatch, tmp_path):
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {index}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))

    made = await environment.DbtEnvironment.create(["tiny-oven"], root=root, installer=installer)

    assert made.version("tiny-oven") == "1.0"


@with_pip_at_length
async def test_settings_for_the_environment_of_airflow_are_ignored(
    installer, root, requirement, monkeypatch, tmp_path
):
    (tmp_path / "constraints.txt").write_text("tiny-oven==0.1\n")
    for name in ("PIP_CONSTRAINT", "UV_CONSTRAINT"):
        monkeypatch.setenv(name, str(tmp_path / "constraints.txt"))
    monkeypatch.setenv("PIP_USER", "true")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    made = await environment.DbtEnvironment.create([requirement], root=root, installer=installer)

    assert made.version("tiny-oven") == "1.0"


@with_pip_at_length
async def test_a_failing_install_says_what_why_and_what_to_do(installer, root, index, monkeypatch):
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", index)

    with pytest.raises(EnvironmentCreationError) as caught:
        await environment.DbtEnvironment.create(["no-such-oven>=7"], root=root, installer=installer)

    message = str(caught.value)
    assert f"could not be created: {installer.name} ended with exit code" in message
    assert "no-such-oven" in message
    assert "that this machine can reach the package index" in message
    assert not list(root.glob("*/dbtcloud.json"))


@with_pip_at_length
async def test_credentials_of_an_index_are_not_shown(installer, root, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://baker:sourdough@127.0.0.1:9/simple")

    with pytest.raises(EnvironmentCreationError) as caught:
        await environment.DbtEnvironment.create(["no-such-oven"], root=root, installer=installer)

    assert "127.0.0.1:9" in str(caught.value)
    assert "sourdough" not in str(caught.value)


async def test_a_folder_that_cannot_be_written_names_the_variable_to_set(tmp_path, requirement):
    (tmp_path / "file").touch()

    with pytest.raises(EnvironmentCreationError, match="Set DBTCLOUD_HOME"):
        await environment.DbtEnvironment.create([requirement], root=tmp_path / "file" / "dbt")


async def test_cancellation_ends_the_installer_and_releases_the_lock(root, requirement, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        wanted = ["no-such-oven"]
        making = asyncio.create_task(environment.DbtEnvironment.create(wanted, root=root))
        await asyncio.to_thread(silent.accept)  # the installer has begun to ask
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making

    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(EnvironmentCreationError):
        await environment.DbtEnvironment.create(wanted, root=root)


def test_a_variable_can_set_the_data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("DBTCLOUD_HOME", str(tmp_path))

    assert environment.data_home() == tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="another folder on macOS")
def test_the_default_data_home_is_the_cache_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("DBTCLOUD_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert environment.data_home() == tmp_path / "dbtcloud"


@pytest.mark.parametrize("absent", ["filelock", "platformdirs"])
def test_the_error_for_a_missing_library_names_its_extra(absent, tmp_path):
    code = (
        f"import sys; sys.modules[{absent!r}] = None\n"
        "import asyncio\n"
        "from dbtcloud.core import environment\n"
        "asyncio.run(environment.DbtEnvironment.create(['six']))\n"
    )
    variables = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    variables.pop("DBTCLOUD_HOME", None)
    ended = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
    )

    assert f"The module '{absent}' is not installed" in ended.stderr
    assert "pip install 'dbtcloud[local]'" in ended.stderr
