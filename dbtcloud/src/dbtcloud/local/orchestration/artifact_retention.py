"""How much of finished runs' files is kept: the oldest go first when there are too many."""

import asyncio
import os
import shutil
from collections.abc import Collection
from pathlib import Path

DEFAULT_BYTES = 2 * 1024**3
"""What is kept unless something else is asked for: 2 GB."""


class ArtifactKeeper:
    """Keeps the folders of runs below a size.

    Args:
        folder: holds a folder for each run, named by its id.
        limit: bytes that all of them may take; the newest finished run's are kept in any case.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_BYTES) -> None:
        self._folder, self._limit = folder, limit
        self._sizes: dict[int, int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def tidy(self, active: Collection[int]) -> None:
        """Throw the oldest finished runs' files away as far as needed.

        Args:
            active: ids of runs that wait or go, or are taken up by those; their files stay and do not count.
        """
        async with self._one_at_a_time:
            await asyncio.to_thread(self._tidy, frozenset(active))

    def _tidy(self, active: frozenset[int]) -> None:
        for left in self._folder.glob("*.leaving"):  # of a server that was killed meanwhile
            shutil.rmtree(left, ignore_errors=True)
        there = {int(path.name) for path in self._folder.glob("*") if path.name.isdigit()} - active
        self._sizes = {run_id: self._sizes.get(run_id) or self._size(run_id) for run_id in there}
        total = sum(self._sizes.values())
        for run_id in sorted(there)[:-1]:
            if total <= self._limit:
                return
            total -= self._sizes.pop(run_id)
            self._throw_away(run_id)

    def _throw_away(self, run_id: int) -> None:
        leaving = self._folder / f"{run_id}.leaving"
        # Renamed first: nobody lists half of a run's artifacts.
        (self._folder / str(run_id)).rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)

    def _size(self, run_id: int) -> int:
        walked = os.walk(self._folder / str(run_id))
        return sum((Path(top) / name).lstat().st_size for top, _, names in walked for name in names)
