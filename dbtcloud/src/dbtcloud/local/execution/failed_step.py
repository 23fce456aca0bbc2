"""The failed step of a run, saved in its folder for the run that retries it."""

import json
from dataclasses import dataclass
from pathlib import Path

_FILE = "failed_step.json"


@dataclass(frozen=True, slots=True)
class FailedStep:
    """The command at which a run failed.

    Attributes:
        position: The index of the command in ``steps``, from 0.
        state: The folder with the artifacts of the step.
        steps: All commands of the run.
    """

    position: int
    state: Path
    steps: tuple[str, ...]

    @property
    def can_be_retried(self) -> bool:
        """True if ``dbt retry`` can be used. A project that does not compile leaves no results for it."""
        return (self.state / "run_results.json").exists()

    def write(self, run_dir: Path) -> None:
        """Save the step for the run that retries this one."""
        content = {"position": self.position, "step": self.state.name, "steps": self.steps}
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / _FILE).write_text(json.dumps(content), encoding="utf-8")

    @staticmethod
    def delete(run_dir: Path) -> None:
        """Delete the saved step after the step has succeeded."""
        (run_dir / _FILE).unlink(missing_ok=True)

    @classmethod
    def read(cls, run_dir: Path | None) -> "FailedStep | None":
        """Return the failed step of an earlier run, or None if there is none."""
        if run_dir is None or not (run_dir / _FILE).exists():
            return None
        content = json.loads((run_dir / _FILE).read_text(encoding="utf-8"))
        return cls(content["position"], run_dir / "steps" / content["step"], tuple(content["steps"]))
