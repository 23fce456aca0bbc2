"""The retention of artifacts: a limit for their total size, beyond which the oldest are deleted."""

import asyncio
import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from dbtcloud.local.model.api_errors import LocalServerError

DEFAULT_RETENTION_BYTES = 2 * 1024**3
"""The default limit: 2 GB."""

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


class ArtifactRetention:
    """Deletes the artifacts of the oldest runs.

    Args:
        folder: the folder that has a folder for each run, named after its id.
        max_bytes: the limit for all of them together. The newest finished run always keeps its artifacts.
    """

    def __init__(self, folder: Path, max_bytes: int = DEFAULT_RETENTION_BYTES) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._sizes: dict[int, int] = {}
        self._lock = asyncio.Lock()

    @staticmethod
    def parse_size(text: str) -> int:
        """Return the bytes of a size such as `500MB` or `2GB`, in powers of 1024.

        Raises:
            LocalServerError: The text is not a size.
        """
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
        if not found:
            raise LocalServerError(
                f"The limit for artifacts {text!r} is not a size. Give a number and a unit, for example 500MB"
                " or 2GB."
            )
        return round(float(found[1]) * _UNITS[found[2].upper()])

    async def delete_old(self, active: Collection[int]) -> None:
        """Delete the artifacts of the oldest finished runs until the limit is met.

        Args:
            active: ids of the runs whose artifacts are still needed. They stay and do not count.
        """
        async with self._lock:
            await asyncio.to_thread(self._delete_old, frozenset(active))

    def _delete_old(self, active: frozenset[int]) -> None:
        for left in self._folder.glob("*.deleting"):  # left by a server that was killed
            shutil.rmtree(left, ignore_errors=True)
        finished = {int(path.name) for path in self._folder.glob("*") if path.name.isdigit()} - active
        self._sizes = {run_id: self._sizes.get(run_id) or self._size(run_id) for run_id in finished}
        total = sum(self._sizes.values())
        for run_id in sorted(finished)[:-1]:
            if total <= self._max_bytes:
                return
            total -= self._sizes.pop(run_id)
            self._delete(run_id)

    def _delete(self, run_id: int) -> None:
        deleting = self._folder / f"{run_id}.deleting"
        # Renamed first, so that a list of artifacts never shows a part of them.
        (self._folder / str(run_id)).rename(deleting)
        shutil.rmtree(deleting, ignore_errors=True)

    def _size(self, run_id: int) -> int:
        walked = os.walk(self._folder / str(run_id))
        return sum((Path(top) / name).lstat().st_size for top, _, names in walked for name in names)
