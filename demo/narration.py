"""Telling what happens while it happens: headings of our own, and what matters of Airflow's log."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

OURS = "airflow_dbt_cloud"
TOLD = ("Pausing task as DEFERRED", "[DAG TEST] running trigger", "[DAG TEST] Trigger completed")
SERIOUS = ("error", "critical")


def tell(what: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m==> {what}\033[0m", flush=True)


def told(command: list[str], environment: Mapping[str, str], log: Path) -> bool:
    """Run a command, tell what matters of its log, keep all of it in a file, and say whether it succeeded."""
    as_json = {**environment, "AIRFLOW__LOGGING__JSON_LOGS": "True"}
    with (
        log.open("w") as kept,
        subprocess.Popen(
            command, env=as_json, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        for line in process.stdout or ():
            kept.write(line)
            for text in _worth_telling(line):
                print(text, flush=True)
    return process.returncode == 0


def _worth_telling(line: str) -> Iterator[str]:
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        return
    text, logger, level = (str(event.get(key, "")) for key in ("event", "logger", "level"))
    if OURS in logger or text.startswith(TOLD) or level in SERIOUS:
        yield f"    {str(event.get('timestamp', ''))[11:19]}  {text}"
    for error in event.get("exception") or ():
        if isinstance(error, dict):
            yield f"              {error.get('exc_type')}: {error.get('exc_value')}"
