"""Where a run failed, left in its folder for the run that takes it up again."""

import json
from dataclasses import dataclass
from pathlib import Path

_FAILURE = "failure.json"


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a run's chain of commands broke.

    Attributes:
        position: The command's position in the run's ``steps``, from 0.
        state: The folder of that step's artifacts.
        steps: The run's commands.
    """

    position: int
    state: Path
    steps: tuple[str, ...]

    @property
    def can_be_retried(self) -> bool:
        """Whether ``dbt retry`` finds what it needs; a project that did not compile leaves nothing."""
        return (self.state / "run_results.json").exists()

    def write(self, run_dir: Path) -> None:
        """Leave it for the run that retries this one."""
        note = {"position": self.position, "step": self.state.name, "steps": self.steps}
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / _FAILURE).write_text(json.dumps(note), encoding="utf-8")

    @staticmethod
    def forget(run_dir: Path) -> None:
        """Take the note back: the step went well."""
        (run_dir / _FAILURE).unlink(missing_ok=True)

    @classmethod
    def read(cls, run_dir: Path | None) -> "Failure | None":
        """Return the failure of an earlier run, None where there was none."""
        if run_dir is None or not (run_dir / _FAILURE).exists():
            return None
        note = json.loads((run_dir / _FAILURE).read_text(encoding="utf-8"))
        return cls(note["position"], run_dir / "steps" / note["step"], tuple(note["steps"]))
