"""The examples in README run, and print what README says."""

import io
import json
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCK = re.compile(r"^```(.+?)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MESSAGE = "Database Error: division by zero"
RESULT = {"unique_id": "model.shop.orders", "status": "error", "execution_time": 0.18, "message": MESSAGE}
RESULTS = {
    "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"},
    "results": [RESULT],
}
STEP = {"name": "Invoke dbt with `dbt build`", "command": "dbt build", "outcome": 20}
BUILT = {"results": [{"unique_id": "model.shop.orders", "status": "success"}]}
SUCCEEDED = {"steps": [{**STEP, "outcome": 10}], "artifacts": {"run_results.json": BUILT}}
NIGHTLY = {"id": 12345, "name": "Nightly", "pretend": SUCCEEDED}
FAILED = {"outcome": 20, "steps": [STEP], "artifacts": {"run_results.json": RESULTS}}


def test_the_examples_print_what_readme_says(dbt_cloud, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "run_results.json").write_text(json.dumps(RESULTS))
    dbt_cloud.control.seed(jobs=[NIGHTLY], runs=[{"job_id": 1, "id": 7, "age": 60, "pretend": FAILED}])
    shown: dict[str, object] = {}
    printed = ""

    for kind, text in BLOCK.findall(README):
        if kind == "python":
            source = text.replace("https://ab123.us1.dbt.com", dbt_cloud.url)
            source = source.replace("dbtc_your_token", dbt_cloud.token)
            with redirect_stdout(io.StringIO()) as output:
                exec(compile(source, "README.md", "exec"), shown)
            printed = output.getvalue()
        elif kind == 'text title="It prints"':
            assert printed == text


def test_the_test_passes_that_readme_shows(tmp_path):
    (tmp_path / "test_runs.py").write_text(dict(BLOCK.findall(README))['python title="test_runs.py"'])

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
