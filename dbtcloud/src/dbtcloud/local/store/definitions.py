"""The table of definitions: accounts, projects, environments, jobs, variables and webhook subscriptions."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from typing import TypeVar

from dbtcloud.local.model.records import Definition, JobRecord, WebhookSubscription
from dbtcloud.local.store.queries import DefinitionQuery, PageQuery
from dbtcloud.local.store.selection import Selection

_D = TypeVar("_D", bound=Definition)

# JSON has no tuples, so that these fields are read as lists.
_TUPLES: dict[type, tuple[str, ...]] = {
    JobRecord: ("execute_steps",),
    WebhookSubscription: ("event_types", "job_ids"),
}


class DefinitionTable:
    """The records that users define.

    The columns are the fields that queries need. The column `body` has all fields.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def put(self, definition: Definition) -> None:
        """Store a definition, replacing one of its kind with the same id."""
        body = asdict(definition)
        names = ("id", "account_id", "project_id", "environment_id", "state", "created_at", "name")
        row = (definition.kind, *(body.get(name) for name in names), json.dumps(body))
        self._database.execute("INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def put_all(self, definitions: Iterable[Definition]) -> None:
        """Store several definitions, all or none of them."""
        with self._database:
            self._database.execute("BEGIN")
            for definition in definitions:
                self.put(definition)

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
        """Return one page of the definitions that meet the query, and the number of all of them."""
        selection = Selection("definitions", "body")
        selection.where("kind = ?", kind.kind)
        selection.where("account_id = ?", query.account_id)
        for column, wanted in query.equal:
            selection.where_in(column, wanted)
        for path, accepted in query.within:
            selection.where_in(f"coalesce(json_extract(body, '$.{path}'), 0)", accepted)
        if query.id_above is not None:
            selection.where("id > ?", query.id_above)
        if query.name_contains is not None:
            selection.where("instr(lower(name), lower(?)) > 0", query.name_contains)
        if query.name is not None:
            selection.where("name = ?", query.name)
        rows, total = selection.page(self._database, page)
        return [_read(kind, body) for (body,) in rows], total


def _read(kind: type[_D], body: str) -> _D:
    values = json.loads(body)
    for name in _TUPLES.get(kind, ()):
        values[name] = tuple(values[name])
    return kind(**values)
