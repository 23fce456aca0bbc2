"""The statuses that dbt writes into its artifacts, in one spelling for all versions of dbt."""

from __future__ import annotations

import re

FAILED_STATUSES = frozenset({"error", "fail", "runtime error", "partial success"})
"""Statuses of nodes that failed."""

SAVED_STATUSES = frozenset({"no-op", "reused"})
"""Statuses of nodes that dbt State did not have to build: it skipped or cloned them."""

# dbt Core separates words by a space or a hyphen, dbt 2.0 also writes "noop".
_SPELLINGS = {"noop": "no-op", "runtimeerror": "runtime error", "partialsuccess": "partial success"}


def normalize_status(status: str) -> str:
    """Return a status as dbt Core spells it: in lower case, such as "pass", "no-op" or "runtime error".

    dbt 2.0 writes "Pass", "Warn" and "Error" into sources.json, and "noop" for nodes without work.
    """
    letters = re.sub(r"[\s_-]", "", status.lower())
    return _SPELLINGS.get(letters, status.strip().lower())
