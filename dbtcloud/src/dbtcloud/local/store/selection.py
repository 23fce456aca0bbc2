"""A SELECT statement that is built from conditions, and returns one page of rows."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from dbtcloud.local.store.queries import PageQuery


class Selection:
    """The rows of a table for which all conditions hold.

    Args:
        table: the name of the table.
        columns: the columns to return, in SQL.
    """

    def __init__(self, table: str, columns: str) -> None:
        self._table, self._columns = table, columns
        self._conditions: list[str] = []
        self._values: list[Any] = []

    def where(self, condition: str, *values: Any) -> None:
        """Add a condition in SQL, with the values for its question marks."""
        self._conditions.append(condition)
        self._values += values

    def where_in(self, column: str, wanted: Sequence[object]) -> None:
        """Add the condition that a column has one of some values."""
        self.where(f"{column} IN ({', '.join('?' * len(wanted))})", *wanted)

    def page(
        self, database: sqlite3.Connection, page: PageQuery, order: str | None = None
    ) -> tuple[list[tuple[Any, ...]], int]:
        """Return the rows of one page, and the number of rows on all pages.

        Args:
            database: the database.
            page: the page.
            order: the order in SQL. The default is the column of the page.
        """
        rows = f"FROM {self._table} WHERE {' AND '.join(self._conditions)}"
        (total,) = database.execute(f"SELECT COUNT(*) {rows}", self._values).fetchone()
        order = order or self.order_by(page)
        statement = f"SELECT {self._columns} {rows} ORDER BY {order} LIMIT ? OFFSET ?"
        return database.execute(statement, (*self._values, page.limit, page.offset)).fetchall(), total

    @staticmethod
    def order_by(page: PageQuery) -> str:
        """Return the order of a page in SQL. Rows with the same value are in the order of their ids."""
        column, direction = page.column, page.direction
        return f"{column} {direction}" if column == "id" else f"{column} {direction}, id {direction}"
