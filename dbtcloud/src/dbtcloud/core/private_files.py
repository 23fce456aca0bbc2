"""Files and folders that other users of the machine cannot read, even if they may read the folder above."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def make_private_folder(path: Path) -> None:
    """Create a folder that only this user can read and list. An existing folder becomes one."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def open_private(path: Path) -> BinaryIO:
    """Open a new file for writing, which only this user can read. An existing file is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The mode counts for a new file only.
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


@contextmanager
def private_file(path: Path, text: str) -> Iterator[None]:
    """Keep a private file with a text while the context is open."""
    with open_private(path) as file:
        file.write(text.encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
