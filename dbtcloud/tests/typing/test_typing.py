"""Two type checkers know what each method returns on either face, and refuse wrong calls."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
RIGHT = [FOLDER / "blocking.py", FOLDER / "awaited.py"]
WRONG = FOLDER / "wrong_calls.py"


def checked(*command: str | Path) -> str:
    """What a checker prints; it ends with 1 where it finds errors."""
    done = subprocess.run(
        [sys.executable, "-m", *command, *RIGHT, WRONG],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def found_by_mypy(cache: pytest.Cache) -> set[tuple[str, int]]:
    options = ["--strict", "--config-file=", "--output=json", "--cache-dir", cache.mkdir("mypy")]
    found = map(json.loads, checked("mypy", *options).splitlines())
    return {(Path(each["file"]).name, each["line"]) for each in found if each["severity"] == "error"}


def found_by_basedpyright(cache: pytest.Cache) -> set[tuple[str, int]]:
    report = checked("basedpyright", "--outputjson", "--level", "error", "--pythonpath", sys.executable)
    found = json.loads(report)["generalDiagnostics"]
    # It counts lines from 0.
    return {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in found}


@pytest.mark.parametrize("find_errors", [found_by_mypy, found_by_basedpyright])
def test_a_checker_finds_the_wrong_calls_and_no_others(request, find_errors):
    lines = WRONG.read_text().splitlines()
    wrong = {(WRONG.name, number) for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    assert find_errors(request.config.cache) == wrong
