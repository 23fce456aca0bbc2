"""The artifacts of a run: files of a real run, or texts in the script of a simulated one."""

import json
from pathlib import Path, PurePosixPath

from dbtcloud.local.model.api_errors import ApiException, not_found
from dbtcloud.local.model.records import RunRecord
from dbtcloud.local.orchestration.cloud import Cloud

_STEPS = "steps"


def artifact_paths(cloud: Cloud, run: RunRecord) -> list[str]:
    """Return the sorted paths of all artifacts. As in dbt Cloud, the step makes no difference."""
    if run.script is not None:
        return sorted(path for path in _simulated_artifacts(cloud, run) if not path.startswith(f"{_STEPS}/"))
    target = cloud.run_dir(run.id) / "target"
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())


def artifact(cloud: Cloud, run: RunRecord, path: str, step: int | None) -> Path | bytes:
    """Return the file of an artifact, or its bytes.

    Args:
        cloud: the local dbt Cloud.
        run: the run.
        path: the path relative to `target/`.
        step: the index of the step, or None for the last step that wrote it.

    Raises:
        ApiException: 404 if it does not exist, or the path leaves the folder.
    """
    relative = _checked_path(path)
    if run.script is not None:
        return _simulated_bytes(cloud, run, relative, step)
    root = cloud.run_dir(run.id) / (Path("target") if step is None else Path(_STEPS, str(step)))
    file = root / relative
    if not _is_file(file) or not file.resolve().is_relative_to(root.resolve()):
        raise not_found()
    return file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # for example a name that is too long
        return False


def has_artifact(cloud: Cloud, run: RunRecord, path: str) -> bool:
    """Return True if a run has an artifact."""
    try:
        artifact(cloud, run, path, None)
    except ApiException:
        return False
    return True


def _checked_path(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if "\0" in path or "\\" in path or relative.is_absolute() or {"..", "."} & set(path.split("/")):
        raise not_found()
    return relative


def _simulated_artifacts(cloud: Cloud, run: RunRecord) -> dict[str, object]:
    return cloud.script(run).artifacts if run.status(cloud.clock.now()).finished else {}


def _simulated_bytes(cloud: Cloud, run: RunRecord, relative: PurePosixPath, step: int | None) -> bytes:
    texts = _simulated_artifacts(cloud, run)
    content = texts.get(f"{_STEPS}/{step}/{relative}", texts.get(str(relative)))
    if content is None:
        raise not_found()
    return (content if isinstance(content, str) else json.dumps(content)).encode()
