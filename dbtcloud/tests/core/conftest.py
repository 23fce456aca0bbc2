"""Small real packages and a small real package index, so that installing needs no internet."""

import base64
import hashlib
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

NAME = "tiny_oven"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel of one module, version 1.0."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = f"{NAME}-1.0.dist-info"
    files = {
        f"{NAME}.py": "HEAT = 250\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    path = folder / f"{NAME}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def requirement(wheel: Path) -> str:
    """What installs the wheel without any index."""
    return f"tiny-oven @ {wheel.as_uri()}"


@pytest.fixture
def index(wheel: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of a package index (PEP 503) that has the wheel and nothing else."""
    page = tmp_path / "index" / "simple" / "tiny-oven"
    page.mkdir(parents=True)
    (page / wheel.name).write_bytes(wheel.read_bytes())
    (page / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel.name}">{wheel.name}</a>')
    with _serving(partial(_Quiet, directory=str(tmp_path / "index"))) as port:
        yield f"http://127.0.0.1:{port}/simple"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


class _serving:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, handler: Callable[..., SimpleHTTPRequestHandler]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> int:
        self._thread.start()
        return self._server.server_address[1]

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
