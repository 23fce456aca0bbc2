"""A marker in a run's cause, by which the run is found when the answer to its start was lost.

dbt Cloud has no idempotency keys. The cause is the only text of ours that it stores with a run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote

CAUSE_MAX_LENGTH = 255
"""Largest number of characters in a cause; dbt Cloud refuses longer ones."""

_MARKER = re.compile(
    r"(?P<task>[a-z2-7]{13})\.(?P<generation>\d+)\.(?P<attempt>\d+)\.(?P<payload>[a-z2-7]{5}\d+)\b"
)
_CUT_ESCAPE = re.compile(r"(&#?\w*|%\w?|\\\w*)$")


@dataclass(frozen=True, slots=True)
class Marker:
    """An identifier of the start of a run, short enough for a cause.

    Attributes:
        task: Digest of what the run is started for. In Airflow: a task of one DAG run in one deployment.
        generation: Changes when somebody restarts the task on purpose. In Airflow: `max_tries`, which
            clearing a task raises.
        attempt: The number of the try in that generation.
        payload: Digest of job and overrides, followed by how many equal runs this try has started before.
    """

    task: str
    generation: int
    attempt: int
    payload: str

    def __str__(self) -> str:
        return f"{self.task}.{self.generation}.{self.attempt}.{self.payload}"

    @classmethod
    def random(cls) -> Self:
        """Return a marker for a start that belongs to no task."""
        return cls(cls.digest(secrets.token_hex(16)), 0, 0, f"{cls.digest('')[:5]}0")

    @classmethod
    def find(cls, cause: str | None) -> Self | None:
        """Return the last marker in a cause, or None.

        Upper and lower case count the same, and the cause may be escaped for HTML or a URL.
        """
        # Markers before the last one come from the cause of another run that somebody has copied.
        markers = list(_MARKER.finditer(_unescaped(cause or "")))
        if not markers:
            return None
        found = markers[-1]
        return cls(found["task"], int(found["generation"]), int(found["attempt"]), found["payload"])

    def may_be_missing_from(self, shown: str | None, sent: str) -> bool:
        """Return whether a cause may be one that was sent with this marker, and has lost it since.

        Args:
            shown: The cause as dbt Cloud shows it, or None.
            sent: The cause that was sent, with the marker.
        """
        text = _squeezed(_CUT_ESCAPE.sub("", shown or "").rstrip(" .…"))
        if _squeezed(sent).startswith(text):
            return True
        if Marker.find(shown) is not None:
            return False
        # A JSON cause differs from try to try, so its beginning proves nothing; but dbt Cloud's cut shows.
        return self.task in text or (text.startswith("{") and not _is_json(html.unescape(shown or "")))

    @staticmethod
    def digest(*parts: object) -> str:
        """Return thirteen letters and digits that identify the parts."""
        text = json.dumps([str(part) for part in parts])
        raw = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return base64.b32encode(raw).decode().rstrip("=").lower()

    @classmethod
    def payload_digest(cls, job_id: object, payload: dict[str, Any]) -> str:
        """Return five letters and digits that identify a job and its overrides, without the cause."""
        overrides = {name: value for name, value in payload.items() if name != "cause"}
        return cls.digest(job_id, json.dumps(overrides, sort_keys=True, default=str))[:5]

    def add_to(self, cause: str) -> str:
        """Return the cause with this marker, of at most `CAUSE_MAX_LENGTH` characters.

        A cause that is too long is cut, but never its marker. A JSON object, such as OpenLineage's parent
        facet, gets the marker as its key `af`. If that is too long, the key `root` is dropped. If it is still
        too long, the object is cut like any other text.
        """
        if Marker.find(cause) == self and len(cause) <= CAUSE_MAX_LENGTH:
            return cause
        return _marked_json(cause, self) or _marked_text(cause, self)


def _unescaped(cause: str) -> str:
    """Return a cause in lower case, without the escapes of HTML and URLs."""
    return unquote(html.unescape(cause)).lower()


def _squeezed(cause: str) -> str:
    return "".join(_unescaped(cause).split())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _marked_text(cause: str, marker: Marker) -> str:
    suffix = f" [af:{marker}]"
    return cause[: CAUSE_MAX_LENGTH - len(suffix)] + suffix


def _marked_json(cause: str, marker: Marker) -> str | None:
    try:
        facet = json.loads(cause)
    except ValueError:
        return None
    if not isinstance(facet, dict):
        return None
    facet.pop("af", None)
    without_root = {name: value for name, value in facet.items() if name != "root"}
    for kept in (facet, without_root):
        text = json.dumps({**kept, "af": str(marker)}, separators=(",", ":"))
        if len(text) <= CAUSE_MAX_LENGTH:
            return text
    return None
