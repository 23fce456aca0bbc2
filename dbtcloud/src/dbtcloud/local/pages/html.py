"""The HTML of the pages, without scripts and external files. Every text is escaped."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Self

from dbtcloud.artifacts.statuses import SAVED_STATUSES, normalize_status
from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import JobRecord, RunRecord, StepRecord
from dbtcloud.local.orchestration.artifacts import RunArtifacts
from dbtcloud.local.orchestration.cloud import Cloud
from dbtcloud.local.pages.style import STYLE

FORM_TOKEN = "form_token"  # noqa: S105 - a name of a field
"""The field of each form with the token of the session, which protects against forms of others."""

_REFRESH_SECONDS = 2
_MAX_NODES = 500
_MAX_RESULT_BYTES = 32 * 1024**2  # a larger run_results.json is not read


@dataclass(frozen=True, slots=True)
class NodeTime:
    """A node that a step has executed: its execution time, and the message of the database."""

    kind: str
    name: str
    status: str
    seconds: float
    message: str

    @classmethod
    def of_run(cls, cloud: Cloud, run: RunRecord, steps: Iterable[StepRecord]) -> list[Self]:
        """Return the nodes that the run's commands executed, in order, without those that cannot be read."""
        # `dbt docs generate` also writes results, but it only compiles the nodes.
        indexes = [step.index for step in steps if step.command and "docs generate" not in step.command]
        results = [result for index in indexes for result in _results(cloud, run, index)]
        return [cls._of_result(result) for result in results if _is_usable(result)]

    @classmethod
    def _of_result(cls, result: Mapping[str, Any]) -> Self:
        kind, _, name = str(result.get("unique_id", "")).partition(".")
        return cls(
            kind,
            name.partition(".")[2] or name,
            normalize_status(str(result.get("status", ""))),
            float(result.get("execution_time", 0)),
            str(result.get("message") or ""),
        )


@dataclass(frozen=True, slots=True)
class DisplayedRun:
    """A run as the pages show it.

    Attributes:
        content: its JSON.
        job: the name of its job.
        project: the name of its project.
        environment: the name of its environment.
        cause: the cause of its start.
    """

    content: Mapping[str, Any]
    job: str
    project: str
    environment: str
    cause: str

    def page(self, steps: Iterable[Mapping[str, Any]], nodes: Sequence[NodeTime]) -> str:
        """Return the page of the run.

        Args:
            steps: the JSON of its steps, with their logs.
            nodes: its nodes with their times.
        """
        run = self.content
        logs = "".join(map(_step, steps)) or "<p class='soft'>The run has not started.</p>"
        body = (
            f"<section><h1>{escape(self.job)}: run {run['id']}</h1><p>{_badge(run['status_humanized'])}</p>"
            f"{self._message()}{self._facts()}</section>"
            f"<section><h2>Steps</h2>{logs}</section>{_nodes(nodes)}"
        )
        return _page(f"Run {run['id']}", body, refresh=run["in_progress"])

    @classmethod
    def list_page(cls, runs: Sequence[Self], total: int) -> str:
        """Return the page of the newest runs. `total` is the number of all runs."""
        rows = "".join(run.row() for run in runs)
        head = (
            "<tr><th>Run</th><th>Status</th><th>Job</th><th>Environment</th><th>Cause</th>"
            "<th>Created (UTC)</th><th class='number'>Duration</th></tr>"
        )
        count = "1 run" if total == 1 else f"{total:,} runs"
        table = f"<section><table>{head}{rows}</table></section>" if rows else _NO_RUNS
        return _page(
            "Runs", f"<h1>Runs</h1><p class='soft'>{count}, the newest first.</p>{table}", refresh=True
        )

    def row(self) -> str:
        """Return the row of the run in the list of runs."""
        run = self.content
        return (
            f"<tr><td><a href='{_path(run)}'>{run['id']}</a></td><td>{_badge(run['status_humanized'])}</td>"
            f"<td>{escape(self.job)}</td><td>{escape(self.environment)}</td>"
            f"<td class='soft'>{escape(self.cause)}</td>"
            f"<td class='soft'>{escape(run['created_at'][:19])}</td>"
            f"<td class='number'>{run['duration']}</td></tr>"
        )

    def _message(self) -> str:
        run = self.content
        waiting = "".join(f"<p>It waits for run {other}.</p>" for other in run["blocked_by"])
        return f"<p>{escape(run['status_message'])}</p>{waiting}" if run["status_message"] else waiting

    def _facts(self) -> str:
        run = self.content
        commit = " ".join(part for part in (run["git_branch"], (run["git_sha"] or "")[:10]) if part)
        facts = {
            "Cause": self.cause,
            "Project": self.project,
            "Environment": self.environment,
            "dbt": run["dbt_version"],
            "Commit": commit,
            "Created": f"{run['created_at'][:19]} UTC",
            "Queued": run["queued_duration"],
            "Ran": run["run_duration"],
        }
        terms = "".join(
            f"<dt>{name}</dt><dd>{escape(str(fact))}</dd>" for name, fact in facts.items() if fact
        )
        return f"<dl>{terms}</dl>"


@dataclass(frozen=True, slots=True)
class DisplayedJob:
    """A job as the pages show it.

    Attributes:
        job: its record.
        project: the name of its project.
        environment: the name of its environment.
        newest: the JSON of its newest run, or None.
    """

    job: JobRecord
    project: str
    environment: str
    newest: Mapping[str, Any] | None

    @classmethod
    def list_page(cls, jobs: Sequence[Self], form_token: str) -> str:
        """Return the page of the jobs, each with a button that runs it."""
        rows = "".join(job.row(form_token) for job in jobs)
        head = (
            "<tr><th>Job</th><th>Project</th><th>Environment</th><th>Commands</th><th>Newest run</th>"
            "<th></th></tr>"
        )
        table = f"<section><table>{head}{rows}</table></section>" if rows else _NO_JOBS
        return _page("Jobs", f"<h1>Jobs</h1>{table}", refresh=False)

    def row(self, form_token: str) -> str:
        """Return the row of the job in the list of jobs."""
        job = self.job
        commands = "".join(f"<code>{escape(step)}</code><br>" for step in job.execute_steps)
        simulated = "<p class='soft'>Simulated.</p>" if job.pretend is not None else ""
        return (
            f"<tr><td>{escape(job.name)} <span class='soft'>{job.id}</span>"
            f"<p class='soft'>{escape(job.description)}</p>{simulated}</td>"
            f"<td>{escape(self.project)}</td><td>{escape(self.environment)}</td><td>{commands}</td>"
            f"<td>{self._newest()}</td><td><form method='post' action='{_job_path(job)}run/'>"
            f"<input type='hidden' name='{FORM_TOKEN}' value='{form_token}'>"
            f"<button>Run</button></form></td></tr>"
        )

    def _newest(self) -> str:
        run = self.newest
        if run is None:
            return ""
        return f"<a href='{_path(run)}'>{run['id']}</a> {_badge(run['status_humanized'])}"


def stale_form_page() -> str:
    """Return the page for a form without the token of the browser's session."""
    body = (
        "<section><h1>Nothing was started</h1><p>The button belongs to a page that another server or another"
        " session has shown. Open <a href='/'>the pages</a> again, and use the button there.</p></section>"
    )
    return _page("Old page", body, refresh=False)


def refusal_page() -> str:
    """Return the page for a browser without a session, which says how to get a link that opens one."""
    body = (
        "<section><h1>Open the pages with a link</h1>"
        "<p>Logs of dbt are not for every user of this machine, so a browser needs a link that works once."
        " The server has printed one at its start.</p>"
        "<p>For another one, run <code>dbtcloud serve --link</code> with the <code>--data-dir</code> or the"
        " project options of the server, and open what it prints in this browser. In Python,"
        " <code>LocalDbtCloud.control.page_link()</code> returns one. Then load this page again.</p>"
        "</section>"
    )
    return _page("No session", body, refresh=False)


def _results(cloud: Cloud, run: RunRecord, index: int) -> list[Any]:
    try:
        found = RunArtifacts(cloud, run).content("run_results.json", index)
        if isinstance(found, Path):
            found = found.read_bytes() if found.stat().st_size <= _MAX_RESULT_BYTES else b"{}"
        results = json.loads(found).get("results", [])
    except (ApiException, OSError, ValueError, AttributeError):
        return []
    return results if isinstance(results, list) else []


def _is_usable(result: Any) -> bool:
    return isinstance(result, dict) and isinstance(result.get("execution_time", 0), int | float)


def _step(step: Mapping[str, Any]) -> str:
    is_open = " open" if step["status_humanized"] in {"Running", "Error"} else ""
    duration = f"<span class='soft'>{step['duration']}</span>"
    title = f"{duration}{_badge(step['status_humanized'])} {step['index']}. {escape(step['name'])}"
    log = f"<pre>{escape(step['truncated_debug_logs'] or '')}</pre>"
    return f"<details{is_open}><summary>{title}</summary>{log}</details>"


def _nodes(nodes: Sequence[NodeTime]) -> str:
    if not nodes:
        return ""
    slowest = max(0.001, *(node.seconds for node in nodes))
    ordered = sorted(nodes, key=lambda node: -node.seconds)[:_MAX_NODES]
    rows = "".join(_node(node, slowest) for node in ordered)
    cut = "" if len(nodes) <= _MAX_NODES else f" Only the slowest {_MAX_NODES} are shown."
    saved = sum(node.status in SAVED_STATUSES for node in nodes)
    savings = f" {saved:,} had no work to do (no-op) or were reused." if saved else ""
    head = "<tr><th>Node</th><th>Status</th><th>Time</th><th class='number'>Seconds</th></tr>"
    return (
        "<section><h2>Models, tests and the rest</h2>"
        f"<p class='soft'>{len(nodes):,} nodes, the slowest first.{savings}{cut}</p>"
        f"<table>{head}{rows}</table></section>"
    )


def _node(node: NodeTime, slowest: float) -> str:
    has_message = node.status in {"error", "fail", "warn"}
    message = f"<p class='soft message'>{escape(node.message)}</p>" if has_message else ""
    width = max(0.0, min(100.0, 100 * node.seconds / slowest))
    return (
        f"<tr><td><span class='soft'>{escape(node.kind)}</span> {escape(node.name)}{message}</td>"
        f"<td>{_badge(node.status)}</td>"
        f"<td class='wide'><div class='bar {_css_class(node.status)}' style='width: {width:.1f}%'></div></td>"
        f"<td class='number'>{node.seconds:.2f}</td></tr>"
    )


def _badge(status: str) -> str:
    return f"<strong class='badge {_css_class(status)}'>{escape(status)}</strong>"


def _css_class(status: str) -> str:
    # A status comes from an artifact, so it may have spaces and quotes.
    return "".join(letter for letter in status if letter.isalnum())


def _job_path(job: JobRecord) -> str:
    return f"/deploy/{job.account_id}/projects/{job.project_id}/jobs/{job.id}/"


def _path(run: Mapping[str, Any]) -> str:
    return f"/deploy/{run['account_id']}/projects/{run['project_id']}/runs/{run['id']}/"


def _page(title: str, body: str, *, refresh: bool) -> str:
    meta = f"<meta http-equiv='refresh' content='{_REFRESH_SECONDS}'>" if refresh else ""
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>{meta}"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)} - local dbt Cloud</title><style>{STYLE}</style></head>"
        "<body><header><a href='/'>Local dbt Cloud</a><span>on this machine, with real dbt</span>"
        "<nav><a href='/'>Runs</a> <a href='/deploy/1/jobs/'>Jobs</a></nav></header>"
        f"<main>{body}</main></body></html>"
    )


_NO_RUNS = (
    "<section><p>No job has run yet. Start one <a href='/deploy/1/jobs/'>on the page of the jobs</a> or over"
    " the API.</p></section>"
)
_NO_JOBS = "<section><p>There are no jobs.</p></section>"
