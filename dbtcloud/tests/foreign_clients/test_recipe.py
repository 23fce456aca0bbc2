"""What the documentation says about leading other people's clients to the server leads them there."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "local-dbt-cloud.md"
RECIPE = re.compile(r'^```sh title="https on this machine"\n(.*?)^```', re.MULTILINE | re.DOTALL)


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def test_a_client_that_speaks_https_only_is_led_here_by_the_recipe(client, tmp_path, port):
    theirs = client("dbt-cloud-cli")
    commands = RECIPE.search(PAGE.read_text())[1]
    commands = commands.replace("8580", str(port)).replace("serve --token", f"serve --port {port} --token")
    folders = [Path(sys.executable).parent, theirs.programs, theirs.variables["PATH"]]

    done = subprocess.run(
        ["bash", "-ec", commands],
        env={
            "PATH": os.pathsep.join(map(str, folders)),
            "HOME": str(tmp_path),
            "DBTCLOUD_HOME": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    listed = done.stdout[done.stdout.index("\n{") : done.stdout.rindex("}\n") + 1]
    assert json.loads(listed)["data"][0]["name"] == "Daily build"
