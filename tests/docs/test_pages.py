"""The examples in README and on the pages run, and print what the pages say."""

import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from airflow.sdk import Connection
from airflow.sdk.definitions._internal.contextmanager import DagContext
from sybil import Document, Example, Region
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

from airflow_dbt_cloud.hooks.connection import credentials
from dbtcloud import cli
from dbtcloud.local.server.in_thread import LocalDbtCloud

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
JOBS = [
    {"id": 12345, "name": "Nightly", "pretend": {"artifacts": {"run_results.json": {"results": []}}}},
]

COMMAND = "dbt run --select tag:nightly --threads 8"
RESULTS = {
    "results": [
        {"unique_id": "model.shop.orders", "status": "error"},
        {"unique_id": "model.shop.rates", "status": "success"},
    ]
}
FAILED = {
    "outcome": 20,
    "steps": [{"name": f"Invoke dbt with `{COMMAND}`", "command": COMMAND, "outcome": 20}],
    "artifacts": {"run_results.json": RESULTS},
}
MENDED = {"run_results.json": {"results": [{"unique_id": "model.shop.orders", "status": "success"}]}}
SHOP = {
    "id": 12346,
    "name": "Shop",
    "execute_steps": [COMMAND, "dbt test"],
    "pretend": {"steps": [{**FAILED["steps"][0], "outcome": 10}], "artifacts": MENDED},
}
RUNS = [{"job_id": 12346, "id": 7, "age": 60, "pretend": FAILED}]


class Reader:
    """Runs or checks each block of a page, by its language."""

    def __init__(self, cloud: LocalDbtCloud, run_dag: Callable) -> None:
        self.cloud, self.run_dag = cloud, run_dag
        self.printed = ""

    def blocks(self, document: Document) -> Iterator[Region]:
        for region in FencedCodeBlockLexer(".+")(document):
            evaluate = self._evaluator(region.lexemes["language"])
            if evaluate is not None:
                region.parsed, region.evaluator = region.lexemes["source"], evaluate
                yield region

    def _evaluator(self, info: str) -> Callable[[Example], None] | None:
        evaluators = {
            "python": self.run_python,
            "json": self.read_connection,
            "console": self.know_commands,
            "sh": self.parse_shell,
            'text title="It prints"': self.compare,
        }
        return evaluators.get(info)

    def run_python(self, example: Example) -> None:
        """Run the block and each DAG in it. Included files are run by their own tests."""
        source = str(example.parsed)
        if source.startswith("--8<--"):
            name = re.fullmatch(r'--8<-- "((?:example_dags|recipes)/\w+\.py)"', source.strip())
            assert name, source
            assert (ROOT / name[1]).is_file(), source
            return
        source = source.replace("https://ab123.us1.dbt.com", self.cloud.url)
        source = source.replace("dbtc_your_token", self.cloud.token)
        DagContext.autoregistered_dags.clear()
        with redirect_stdout(io.StringIO()) as printed:
            exec(compile("\n" * example.line + source, example.path, "exec"), example.namespace)
        self.printed = printed.getvalue().replace(self.cloud.url, "https://ab123.us1.dbt.com")
        for dag, _ in list(DagContext.autoregistered_dags):
            outcome = self.run_dag(dag)
            assert outcome.state == "success", outcome.log

    def compare(self, example: Example) -> None:
        assert self.printed.strip() == str(example.parsed).strip()

    def read_connection(self, example: Example) -> None:
        if "conn_type" not in json.loads(str(example.parsed)):
            return
        connection = Connection.from_json(str(example.parsed), conn_id="shown")
        assert credentials.credentials(connection, connection.extra_dejson).account_id

    def know_commands(self, example: Example) -> None:
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        for command in re.findall(r"^\$ ([^#\n]+)", str(example.parsed), re.MULTILINE):
            words = command.split()
            if words[0] == "make":
                assert words[1] in targets, command
            if words[0] in {"airflow-dbt-cloud", "dbtcloud"}:
                cli._parser().parse_args(words[1:])

    def parse_shell(self, example: Example) -> None:
        subprocess.run(["bash", "-n"], input=str(example.parsed), text=True, check=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_true(page, dbt_cloud, run_dag, prompt_triggers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # So that DAGs register themselves, as in a DAG file.
    monkeypatch.setattr(DagContext, "current_autoregister_module_name", __name__)
    dbt_cloud.control.seed(jobs=[*JOBS, SHOP], runs=RUNS)
    # As the page for Python programs says.
    monkeypatch.setenv("DBT_CLOUD_TOKEN", dbt_cloud.token)
    monkeypatch.setenv("DBT_CLOUD_ACCOUNT_ID", "1")
    monkeypatch.setenv("DBT_CLOUD_HOST", dbt_cloud.url)
    document = Document.parse(str(page), Reader(dbt_cloud, run_dag).blocks)

    for example in document.examples():
        example.evaluate()
