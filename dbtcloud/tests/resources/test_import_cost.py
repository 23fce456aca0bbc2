"""The names of `dbtcloud` load no HTTP library before the first call."""

import json
import subprocess
import sys

import pytest

HEAVY = {"requests", "aiohttp", "urllib3", "ijson", "yaml", "rich"}
LIMITS = {
    "import dbtcloud": 2,
    "from dbtcloud import DbtCloudClient; DbtCloudClient('t', 1, 'a.us1.dbt.com').jobs": 52,
    "from dbtcloud import AsyncDbtCloudClient; AsyncDbtCloudClient('t', 1, 'a.us1.dbt.com').runs": 60,
    "from dbtcloud import DbtCloudCredentials, run_dbt_cloud_job": 85,
}


@pytest.mark.parametrize("code", LIMITS)
def test_few_modules_and_no_http_library_are_loaded(code):
    printed = f"{code}; import json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", printed], capture_output=True, check=True, text=True)
    loaded = json.loads(done.stdout)
    assert HEAVY & set(loaded) == set()
    own = [name for name in loaded if name.split(".")[0] == "dbtcloud"]
    assert len(own) <= LIMITS[code], sorted(own)
