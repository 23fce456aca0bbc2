"""Reads `run_results.json`: the result of each node of one dbt command (schemas v4 to v6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Self

from dbtcloud.artifacts.batches import Batch
from dbtcloud.artifacts.json_stream import stream_entries
from dbtcloud.artifacts.json_values import Fields, Json
from dbtcloud.artifacts.statuses import FAILED_STATUSES, SAVED_STATUSES, normalize_status

# Kinds of nodes that dbt executes. The others are "no-op" whenever a command selects them.
_EXECUTED_KINDS = frozenset({"model", "seed", "snapshot", "test", "unit_test", "function"})

# What dbt writes where the database's message is only in its log, as for the batches of a microbatch model.
_BARE_STATUS = re.compile(
    r"(error|fail|failed|runtime error|partial success(\s*\(\d+/\d+\))?|none)?\W*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The result of one node.

    Attributes:
        unique_id: Its unique id, such as "model.shop.orders".
        status: dbt's status in lower case: success, pass, warn, fail, error, runtime error, partial success,
            skipped, no-op, reused.
        seconds: The execution time in seconds.
        message: The message of dbt or the database, or "".
        rows: The number of rows affected, or None if the adapter does not count them.
        failures: The number of rows that failed a test, or None.
        relation: The quoted name of the table or view in the database, or None.
        compiled_path: The artifact with the node's compiled code, such as "compiled/shop/models/orders.sql".
            It is not in run_results.json; a run's report adds it.
        successful_batches: The batches of a microbatch model that were built.
        failed_batches: Those that failed or were skipped. dbt 2.0 records no batches.
    """

    unique_id: str
    status: str
    seconds: float = 0.0
    message: str = ""
    rows: int | None = None
    failures: int | None = None
    relation: str | None = None
    compiled_path: str | None = None
    successful_batches: tuple[Batch, ...] = ()
    failed_batches: tuple[Batch, ...] = ()

    @classmethod
    def parse(cls, data: Json) -> Self:
        """Parse one entry of `results`."""
        fields = Fields(data)
        rows = fields.mapping("adapter_response").integer("rows_affected")
        batches = fields.mapping("batch_results")
        return cls(
            unique_id=fields.text("unique_id"),
            status=normalize_status(fields.text("status")) or "unknown",
            seconds=fields.number("execution_time") or 0.0,
            message=fields.text("message"),
            rows=rows if rows is not None and rows >= 0 else None,  # drivers return -1 if they do not know
            failures=fields.integer("failures"),
            relation=fields.text("relation_name") or None,
            successful_batches=Batch.parse_list(batches.get("successful")),
            failed_batches=Batch.parse_list(batches.get("failed")),
        )

    @property
    def kind(self) -> str:
        """The kind of node, such as "model", "test", "seed" or "snapshot"."""
        return self.unique_id.partition(".")[0]

    @property
    def package(self) -> str:
        """The node's package. The project's own package has the project's name."""
        return self.unique_id.split(".")[1] if "." in self.unique_id else ""

    @property
    def name(self) -> str:
        """The node's name, without its package and a test's hash."""
        parts = self.unique_id.split(".")
        return (
            ".".join(parts[2:-1] if self.kind == "test" and len(parts) > 3 else parts[2:]) or self.unique_id
        )

    @property
    def failed(self) -> bool:
        """Whether the node failed."""
        return self.status in FAILED_STATUSES

    @property
    def saved(self) -> bool:
        """Whether dbt State saved its execution: nothing has changed, or an earlier result was cloned."""
        return self.status in SAVED_STATUSES and self.kind in _EXECUTED_KINDS

    @property
    def has_reason(self) -> bool:
        """Whether the message says more than the status, such as "PARTIAL SUCCESS (1/4)" does not."""
        return not _BARE_STATUS.fullmatch(self.message.strip())


# The fields that are read. Compiled code is most of the file and is skipped.
_FIELDS = frozenset(
    {"unique_id", "status", "execution_time", "message", "adapter_response", "failures", "relation_name"}
    | {"batch_results"}
)


def read_run_results(stream: IO[bytes]) -> tuple[NodeResult, ...]:
    """Return the results of all nodes, in dbt's order.

    Raises:
        InvalidArtifact: If it is not a run_results.json; a ValueError.
    """
    return tuple(stream_run_results(stream))


def stream_run_results(stream: IO[bytes]) -> Iterator[NodeResult]:
    """Yield the results of the nodes one at a time. Entries without a node are skipped.

    Raises:
        InvalidArtifact: If it is not a run_results.json. If it is damaged, only once the damage is reached.
    """
    for section, _, data in stream_entries(stream, "run-results", {"results": _FIELDS}, needed="results"):
        if section == "results" and data.text("unique_id"):
            yield NodeResult.parse(data.raw)
