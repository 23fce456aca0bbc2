"""The artifacts of a run: files of a real run, or texts in the script of a simulated one."""

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dbtcloud.local.model.api_errors import ApiException
from dbtcloud.local.model.records import RunRecord, StepRecord
from dbtcloud.local.orchestration.cloud import Cloud

_STEPS = "steps"


@dataclass(frozen=True, slots=True)
class RunArtifacts:
    """The artifacts of one run.

    Attributes:
        cloud: the local dbt Cloud.
        run: the run.
    """

    cloud: Cloud
    run: RunRecord

    def paths(self) -> list[str]:
        """Return the sorted paths of all artifacts. As in dbt Cloud, the step makes no difference."""
        if self.run.script is not None:
            return sorted(path for path in self._simulated() if not path.startswith(f"{_STEPS}/"))
        target = self.cloud.run_dir(self.run.id) / "target"
        return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())

    def has(self, path: str) -> bool:
        """Return True if the run has an artifact with this path."""
        try:
            self.content(path)
        except ApiException:
            return False
        return True

    def content(self, path: str, step: int | None = None) -> Path | bytes:
        """Return the file of an artifact, or its bytes if the run is simulated.

        Args:
            path: the path relative to `target/`.
            step: the index of the step, or None for the last step that wrote it.

        Raises:
            ApiException: 404 if it does not exist, or the path leaves the folder.
        """
        relative = _checked_path(path)
        if self.run.script is not None:
            return self._simulated_bytes(relative, step)
        root = self.cloud.run_dir(self.run.id) / (Path("target") if step is None else Path(_STEPS, str(step)))
        file = root / relative
        # A dbt project can write symbolic links into its target folder.
        if not _is_file(file) or not file.resolve().is_relative_to(root.resolve()):
            raise ApiException.not_found()
        return file

    def debug_log(self, step: StepRecord) -> str:
        """Return dbt's debug log of a step, or the step's console output if it has none."""
        if self.run.script is not None:
            return step.logs
        try:
            # `DBT_LOG_PATH` is a folder of its own for each step.
            file = self.cloud.run_dir(self.run.id) / "logs" / str(step.index) / "dbt.log"
            return file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return step.logs

    def _simulated_bytes(self, relative: PurePosixPath, step: int | None) -> bytes:
        texts = self._simulated()
        content = texts.get(f"{_STEPS}/{step}/{relative}", texts.get(str(relative)))
        if content is None:
            raise ApiException.not_found()
        return (content if isinstance(content, str) else json.dumps(content)).encode()

    def _simulated(self) -> dict[str, object]:
        finished = self.run.status(self.cloud.clock.now()).finished
        return self.cloud.script(self.run).artifacts if finished else {}


def _checked_path(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if "\0" in path or "\\" in path or relative.is_absolute() or {"..", "."} & set(path.split("/")):
        raise ApiException.not_found()
    return relative


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # for example a name that is too long
        return False
