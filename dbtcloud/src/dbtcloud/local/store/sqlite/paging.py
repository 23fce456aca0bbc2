"""One page of a table, and how many rows there are in all."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from dbtcloud.local.store.interface import PageQuery


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a table: the columns wanted, the conditions that must all hold, and what to sort by."""

    table: str
    columns: str
    conditions: list[str]
    values: list[Any]
    order: str


def read_page(
    database: sqlite3.Connection, selection: Selection, page: PageQuery
) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows of one page and how many rows there are in all."""
    within = f"FROM {selection.table} WHERE {' AND '.join(selection.conditions)}"
    (total,) = database.execute(f"SELECT COUNT(*) {within}", selection.values).fetchone()
    statement = f"SELECT {selection.columns} {within} ORDER BY {selection.order} LIMIT ? OFFSET ?"
    return database.execute(statement, (*selection.values, page.limit, page.offset)).fetchall(), total
