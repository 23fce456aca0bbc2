"""The table of definitions."""

import json
import sqlite3
from dataclasses import asdict
from typing import Any, TypeVar

from dbtcloud.local.model.records import Definition, JobRecord, WebhookSubscription
from dbtcloud.local.store.interface import DefinitionQuery, PageQuery
from dbtcloud.local.store.sqlite.queries import Selection, is_one_of, order_clause, select_page

_D = TypeVar("_D", bound=Definition)

_TUPLES: dict[type, tuple[str, ...]] = {
    JobRecord: ("execute_steps",),
    WebhookSubscription: ("event_types", "job_ids"),
}


class SqliteDefinitions:
    """Implements `dbtcloud.local.store.interface.Definitions`."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def put(self, definition: Definition) -> None:
        """Store a definition, replacing one of its kind with the same id."""
        body = asdict(definition)
        names = ("id", "account_id", "project_id", "environment_id", "state", "created_at", "name")
        row = (definition.kind, *(body.get(name) for name in names), json.dumps(body))
        self._database.execute("INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def get(self, kind: type[_D], id_: int) -> _D | None:
        """Return a definition, or None."""
        statement = "SELECT body FROM definitions WHERE kind = ? AND id = ?"
        row = self._database.execute(statement, (kind.kind, id_)).fetchone()
        return None if row is None else _read(kind, row[0])

    def ids(self, kind: type[Definition]) -> list[int]:
        """Return the ids of all definitions of a kind."""
        rows = self._database.execute("SELECT id FROM definitions WHERE kind = ? ORDER BY id", (kind.kind,))
        return [id_ for (id_,) in rows]

    def next_id(self, kind: type[Definition]) -> int:
        """Return the first free id of a kind."""
        return max(self.ids(kind), default=0) + 1

    def find(self, kind: type[_D], query: DefinitionQuery, page: PageQuery) -> tuple[list[_D], int]:
        """Return one page of a kind, and the total number."""
        conditions = ["kind = ?", "account_id = ?"]
        values: list[Any] = [kind.kind, query.account_id]
        for column, wanted in query.equal:
            conditions.append(is_one_of(column, wanted))
            values += wanted
        for path, accepted in query.within:
            conditions.append(is_one_of(f"coalesce(json_extract(body, '$.{path}'), 0)", accepted))
            values += accepted
        if query.id_above is not None:
            conditions.append("id > ?")
            values.append(query.id_above)
        for condition, text in (
            ("instr(lower(name), lower(?)) > 0", query.name_contains),
            ("name = ?", query.name),
        ):
            if text is not None:
                conditions.append(condition)
                values.append(text)
        selection = Selection("definitions", "body", conditions, values, order_clause(page.order_by))
        rows, total = select_page(self._database, selection, page)
        return [_read(kind, body) for (body,) in rows], total


def _read(kind: type[_D], body: str) -> _D:
    values = json.loads(body)
    for name in _TUPLES.get(kind, ()):
        values[name] = tuple(values[name])
    return kind(**values)
