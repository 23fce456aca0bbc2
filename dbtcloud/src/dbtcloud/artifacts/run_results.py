"""Reads `run_results.json`: what became of each node of one dbt command (schemas v4 to v6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Self

from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Json, as_integer, as_mapping, as_number, as_text

FAILED_STATUSES = frozenset({"error", "fail", "runtime error", "partial success"})
"""Statuses of nodes that did not become what they should."""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What became of one node.

    Attributes:
        unique_id: Such as "model.shop.orders".
        status: dbt's word: success, pass, warn, fail, error, skipped, no-op, reused, partial success.
        seconds: Execution time.
        message: The database's or dbt's own words, or "".
        rows: Rows affected, where the adapter counts them.
        failures: Rows that a test found fault with.
        relation: The table or view, as the database names it.
        compiled_path: The artifact with the node's compiled code, such as "compiled/shop/models/orders.sql";
            run_results.json does not tell it.
    """

    unique_id: str
    status: str
    seconds: float = 0.0
    message: str = ""
    rows: int | None = None
    failures: int | None = None
    relation: str | None = None
    compiled_path: str | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Read one entry of `results`."""
        rows = as_integer(as_mapping(data.get("adapter_response")).get("rows_affected"))
        return cls(
            unique_id=as_text(data.get("unique_id")),
            status=as_text(data.get("status")) or "unknown",
            seconds=as_number(data.get("execution_time")) or 0.0,
            message=as_text(data.get("message")),
            rows=rows if rows is not None and rows >= 0 else None,  # -1 is a driver's "not known"
            failures=as_integer(data.get("failures")),
            relation=as_text(data.get("relation_name")) or None,
        )

    @property
    def kind(self) -> str:
        """What it is: model, test, seed, snapshot."""
        return self.unique_id.partition(".")[0]

    @property
    def package(self) -> str:
        """The package that it belongs to; the project's own carries the project's name."""
        return self.unique_id.split(".")[1] if "." in self.unique_id else ""

    @property
    def name(self) -> str:
        """The node's own name, without package and hash."""
        parts = self.unique_id.split(".")
        return (
            ".".join(parts[2:-1] if self.kind == "test" and len(parts) > 3 else parts[2:]) or self.unique_id
        )

    @property
    def failed(self) -> bool:
        """Whether the node did not become what it should."""
        return self.status in FAILED_STATUSES


_FIELDS = frozenset(
    {"unique_id", "status", "execution_time", "message", "adapter_response", "failures", "relation_name"}
)
"""What is read of an entry; compiled code is most of the file and passed over."""


def read_run_results(stream: IO[bytes]) -> tuple[NodeResult, ...]:
    """The nodes of a run_results.json, in dbt's order; entries that name no node are left out.

    Raises:
        InvalidArtifact: If it is no such file; a ValueError.
    """
    return tuple(stream_run_results(stream))


def stream_run_results(stream: IO[bytes]) -> Iterator[NodeResult]:
    """The nodes of a run_results.json of any size, one at a time.

    Raises:
        InvalidArtifact: If it is no such file; for a damaged one, when the damage is come to.
    """
    for section, _, data in stream_entries(stream, "run-results", {"results": _FIELDS}, needed="results"):
        if section == "results" and as_text(data.get("unique_id")):
            yield NodeResult.parse(data)
