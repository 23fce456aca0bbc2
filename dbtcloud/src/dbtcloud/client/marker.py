"""The mark that a run carries in its cause, by which it is found again when nobody knows whether it began.

dbt Cloud takes no idempotency key; the cause is the one text of ours that it keeps with a run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any, Self

CAUSE_MAX_LENGTH = 255
"""Characters of a cause; dbt Cloud refuses longer ones."""

_MARK = re.compile(
    r"\b(?P<task>[a-z2-7]{13})\.(?P<generation>\d+)\.(?P<attempt>\d+)\.(?P<payload>[a-z2-7]{5}\d+)\b"
)


@dataclass(frozen=True, slots=True)
class Marker:
    """Who started a run, short enough for a cause.

    Attributes:
        task: Digest of what the run is started for; in Airflow the task of one DAG run of one deployment.
        generation: How often that was begun anew on purpose: Airflow's `max_tries`, which a clear raises.
        attempt: The try within that.
        payload: Digest of job and overrides, then how many of the same were started before in this try.
    """

    task: str
    generation: int
    attempt: int
    payload: str

    def __str__(self) -> str:
        return f"{self.task}.{self.generation}.{self.attempt}.{self.payload}"

    @classmethod
    def random(cls) -> Self:
        """A mark for a start that belongs to no task."""
        return cls(digest(secrets.token_hex(16)), 0, 0, f"{digest('')[:5]}0")

    @classmethod
    def find(cls, cause: str | None) -> Self | None:
        """The mark in a cause, or None; the last, since a person may have pasted the cause of another run."""
        marks = list(_MARK.finditer(cause or ""))
        if not marks:
            return None
        found = marks[-1]
        return cls(found["task"], int(found["generation"]), int(found["attempt"]), found["payload"])


def digest(*parts: object) -> str:
    """Thirteen letters and digits that stand for the parts."""
    text = json.dumps([str(part) for part in parts])
    raw = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return base64.b32encode(raw).decode().rstrip("=").lower()


def payload_digest(job_id: object, payload: dict[str, Any]) -> str:
    """Five letters and digits that stand for a job and its overrides; the cause does not count."""
    overrides = {name: value for name, value in payload.items() if name != "cause"}
    return digest(job_id, json.dumps(overrides, sort_keys=True, default=str))[:5]


def stamp(cause: str, marker: Marker) -> str:
    """The cause with the mark, the text cut so that both fit into `CAUSE_MAX_LENGTH`.

    A cause that is a JSON object, as OpenLineage's parent is, gets the mark as its key `af`; where that does
    not fit, `root` is dropped first, and then the whole object for plain text.
    """
    if Marker.find(cause) == marker and len(cause) <= CAUSE_MAX_LENGTH:
        return cause
    return _stamped_json(cause, marker) or _stamped_text(cause, marker)


def _stamped_text(cause: str, marker: Marker) -> str:
    mark = f" [af:{marker}]"
    return cause[: CAUSE_MAX_LENGTH - len(mark)] + mark


def _stamped_json(cause: str, marker: Marker) -> str | None:
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
