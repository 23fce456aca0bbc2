"""A run's artifacts: files under `target/` of a real run, the script's texts of a pretended one."""

import json
from pathlib import Path, PurePosixPath

from dbtcloud.local.model.api_errors import ApiException, not_found
from dbtcloud.local.model.records import RunRecord
from dbtcloud.local.orchestration.cloud import Cloud

_STEPS = "steps"


def artifact_paths(cloud: Cloud, run: RunRecord) -> list[str]:
    """Return the paths of all artifacts, sorted; the step is not asked for, as in dbt Cloud."""
    if run.script is not None:
        return sorted(path for path in _scripted(cloud, run) if not path.startswith(f"{_STEPS}/"))
    target = cloud.run_dir(run.id) / "target"
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())


def artifact(cloud: Cloud, run: RunRecord, path: str, step: int | None) -> Path | bytes:
    """Return one artifact: the file it lies in, or its bytes.

    Args:
        cloud: the local dbt Cloud.
        run: whose artifact.
        path: relative to `target/`.
        step: of which step; None is the last one that wrote it.

    Raises:
        ApiException: 404 where there is none, and for a path that leaves the folder.
    """
    relative = _safe(path)
    if run.script is not None:
        return _scripted_bytes(cloud, run, relative, step)
    root = cloud.run_dir(run.id) / (Path("target") if step is None else Path(_STEPS, str(step)))
    file = root / relative
    if not _is_file(file) or not file.resolve().is_relative_to(root.resolve()):
        raise not_found()
    return file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is longer than names can be
        return False


def has_artifact(cloud: Cloud, run: RunRecord, path: str) -> bool:
    """Return whether a run has an artifact."""
    try:
        artifact(cloud, run, path, None)
    except ApiException:
        return False
    return True


def _safe(path: str) -> PurePosixPath:
    relative = PurePosixPath(path)
    if "\0" in path or "\\" in path or relative.is_absolute() or {"..", "."} & set(path.split("/")):
        raise not_found()
    return relative


def _scripted(cloud: Cloud, run: RunRecord) -> dict[str, object]:
    return cloud.script(run).artifacts if run.status(cloud.clock.now()).finished else {}


def _scripted_bytes(cloud: Cloud, run: RunRecord, relative: PurePosixPath, step: int | None) -> bytes:
    texts = _scripted(cloud, run)
    content = texts.get(f"{_STEPS}/{step}/{relative}", texts.get(str(relative)))
    if content is None:
        raise not_found()
    return (content if isinstance(content, str) else json.dumps(content)).encode()
