"""Show the progress of the demo: headings, and the important lines of Airflow's log."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_OUR_LOGGERS = ("airflow_dbt_cloud", "dbtcloud")
_SHOWN = ("Pausing task as DEFERRED", "[DAG TEST] running trigger", "[DAG TEST] Trigger completed")
_SERIOUS = ("error", "critical")


def print_heading(what: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m==> {what}\033[0m", flush=True)


def run_and_report(command: list[str], environment: Mapping[str, str], log: Path) -> bool:
    """Run a command and return whether it succeeded.

    The important lines of its log are printed; all lines go to a file.
    """
    as_json = {**environment, "AIRFLOW__LOGGING__JSON_LOGS": "True"}
    with (
        log.open("w") as kept,
        subprocess.Popen(
            command, env=as_json, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        for line in process.stdout or ():
            kept.write(line)
            for text in _shown_lines(line):
                print(text, flush=True)
    return process.returncode == 0


def _shown_lines(line: str) -> Iterator[str]:
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        return
    text, logger, level = (str(event.get(key, "")) for key in ("event", "logger", "level"))
    if any(ours in logger for ours in _OUR_LOGGERS) or text.startswith(_SHOWN) or level in _SERIOUS:
        yield f"    {str(event.get('timestamp', ''))[11:19]}  {text}"
    for error in event.get("exception") or ():
        if isinstance(error, dict):
            yield f"              {error.get('exc_type')}: {error.get('exc_value')}"
