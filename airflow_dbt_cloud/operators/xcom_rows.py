"""The rows of a list as they go into an XCom: the fields that are wanted, and no more than fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import Logger

MOST_BYTES = 1_000_000
"""Bytes of JSON that a list without a `limit` fills in an XCom: 500 to 600 whole runs."""

LEFT_OUT = "left_out"
"""Key of the XCom that says how much of a list is missing in the return value."""


class KeptRows:
    """Takes rows page by page.

    Args:
        what: What the rows are, such as "runs".
        fields: Names of the fields that are kept; all if None.
        most: Bytes of JSON that all rows may have together; None for any number.
    """

    def __init__(self, what: str, fields: Sequence[str] | None, most: int | None) -> None:
        self.what, self.rows, self.total = what, list[dict[str, Any]](), 0
        self._fields, self._left = fields, most

    def take(self, rows: Sequence[Mapping[str, Any]], total: int) -> bool:
        """Keep rows for as long as they fit, and say whether more would.

        Raises:
            ValueError: If a row lacks a field that is wanted.
        """
        self.total = total
        for row in rows:
            kept = self._cut(row)
            if self._left is not None:
                self._left -= len(json.dumps(kept)) + 2
                if self._left < 0:
                    return False
            self.rows.append(kept)
        return True

    def _cut(self, row: Mapping[str, Any]) -> dict[str, Any]:
        if self._fields is None:
            return dict(row)
        if lacking := [name for name in self._fields if name not in row]:
            raise ValueError(
                f"{self.what.capitalize()} have no field {lacking[0]!r}. They have {', '.join(row)}."
            )
        return {name: row[name] for name in self._fields}

    def tell(self, context: Context, log: Logger) -> None:
        """Say how many there are and what was left out: in the log and, if anything was, in an XCom."""
        left_out = max(0, self.total - len(self.rows))
        if not left_out:
            log.info("Found %d %s.", len(self.rows), self.what)
            return
        advice = "Narrow the list, name the fields that you need, or give another limit."
        log.warning("Found %d %s; %d are left out. %s", self.total, self.what, left_out, advice)
        value = {"total": self.total, "returned": len(self.rows), "left_out": left_out}
        context["ti"].xcom_push(key=LEFT_OUT, value=value)
