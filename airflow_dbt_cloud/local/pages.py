"""HTML for the pages: no script, nothing from elsewhere, every text escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2330; background: #fff }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .6rem }
tr { border-bottom: 1px solid #d9dee6 } a { color: #0b57d0 }
pre { background: #f4f6f9; padding: .8rem; overflow-x: auto; font-size: 13px }
.Success { color: #1a7f37 } .Error { color: #c62828 } .Cancelled { color: #8a6100 }
@media (prefers-color-scheme: dark) { body { color: #e3e8ef; background: #14181f } pre { background: #1f2530 }
  tr { border-color: #38414f } a { color: #8ab4f8 } .Success { color: #6fdd8b } .Error { color: #ff8a80 }
  .Cancelled { color: #e6c04d } }
"""
_RENEWED_EVERY_SECONDS = 2


def runs_page(runs: Sequence[tuple[str, dict[str, Any]]], total: int) -> str:
    """Return the page of runs: a job's name and the run's shape for each."""
    rows = "".join(
        f"<tr><td><a href='{_path(run)}'>{run['id']}</a></td><td>{escape(job)}</td><td>{_status(run)}</td>"
        f"<td>{run['created_at'][:19]}</td><td>{run['duration']}</td></tr>"
        for job, run in runs
    )
    head = "<tr><th>Run</th><th>Job</th><th>Status</th><th>Created (UTC)</th><th>Duration</th></tr>"
    shown = f"<table>{head}{rows}</table>" if rows else "<p>No job has run yet.</p>"
    return _page(
        "Local dbt Cloud",
        f"<h1>Local dbt Cloud</h1><p>{total} runs, the newest first.</p>{shown}",
        going=True,
    )


def run_page(run: dict[str, Any], job: str, cause: str, steps: Iterable[dict[str, Any]]) -> str:
    """Return the page of one run with its steps and their logs."""
    ahead = "".join(f"<p>It waits for run {other}.</p>" for other in run["blocked_by"])
    message = f"<p>{escape(run['status_message'])}</p>" if run["status_message"] else ""
    body = (
        f"<p><a href='/'>All runs</a></p><h1>{escape(job)}: run {run['id']}</h1>"
        f"<p>{_status(run)} · {escape(cause)} · created {run['created_at'][:19]} UTC · {run['duration']}</p>"
        f"{message}{ahead}{''.join(map(_step, steps))}"
    )
    return _page(f"Run {run['id']}", body, going=run["in_progress"])


def _step(step: dict[str, Any]) -> str:
    opened = " open" if step["status_humanized"] in {"Running", "Error"} else ""
    title = f"{step['index']}. {escape(step['name'])} · {_status(step)} · {step['duration']}"
    log = f"<pre>{escape(step['truncated_debug_logs'])}</pre>"
    return f"<details{opened}><summary>{title}</summary>{log}</details>"


def _status(shape: dict[str, Any]) -> str:
    word = shape["status_humanized"]
    return f"<strong class='{word}'>{word}</strong>"


def _path(run: dict[str, Any]) -> str:
    return f"/deploy/{run['account_id']}/projects/{run['project_id']}/runs/{run['id']}/"


def _page(title: str, body: str, *, going: bool) -> str:
    renewal = f"<meta http-equiv='refresh' content='{_RENEWED_EVERY_SECONDS}'>" if going else ""
    return (
        f"<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>{renewal}"
        f"<meta name='viewport' content='width=device-width'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
