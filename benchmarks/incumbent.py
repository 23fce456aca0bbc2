"""The provider that this one replaces, unmodified, in an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def python() -> Path:
    """Its interpreter, of the same Python as this one; `.venv-incumbent` is made first, as `uv.lock` says.

    Raises:
        subprocess.CalledProcessError: If it cannot be made; the reason is on stderr.
    """
    script = ROOT / "scripts" / "environment.sh"
    environment = os.environ | {"PYTHON": sys.executable}
    subprocess.run([script, "incumbent"], env=environment, check=True, stdout=sys.stderr)
    return ROOT / ".venv-incumbent" / "bin" / "python"
