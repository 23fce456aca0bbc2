"""What a folder holds."""

from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    """The files below a folder, hidden ones too, by their paths in it."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in found}
