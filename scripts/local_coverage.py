"""Writes docs/reference/local-coverage.md: dbt Cloud's published API beside the route table.

    python scripts/local_coverage.py openapi-v2.yaml openapi-v3.yaml

The specifications are those of dbt-labs/dbt-cloud-openapi-spec.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dbtcloud.local.api.routes.route import Route
from dbtcloud.local.api.routes.table import ROUTE_TABLE

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "local-coverage.md"
DONE, DIFFERS, UNSERVED = "done", "differs", "501"
_METHODS = ("get", "post", "put", "patch", "delete")
_OWN = ("/_local/", "/deploy/")
_BEYOND = "Beyond the specification"
_NOTHING = "Of other objects"
_HEAD = "## {title}\n\n| | | |\n|---|---|---|\n"
_REFUSED = "| 501 |"
_INTRODUCTION = """\
# What the local dbt Cloud covers

Each operation of dbt Cloud's published Admin API, and whether the
[local dbt Cloud](../how-to/local-dbt-cloud.md) implements it. *done*: it does what dbt Cloud does, as far as
is known. *differs*: it does, except for what the table says. 501: it is not implemented, and the answer says
so. Every route works with and without its closing slash. `scripts/local_coverage.py` generates this page from
the route table.

For all operations:

- A token's permission sets decide what it may do. It cannot be restricted to projects or environments.
- Error messages have dbt Cloud's words only where those were seen: 400 for parameters, 401 and 403.
- `include_related` accepts any name and ignores unknown ones. Permission sets do not restrict what it
  includes.
"""


@dataclass(frozen=True, order=True)
class Operation:
    """A method on a path whose parameters have lost their names, and under which heading it stands."""

    path: str
    method: str
    heading: str = ""
    shown: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What the same operation has in common in the specification and in the route table."""
        return self.method, self.path


def published(paths: Iterable[Path]) -> list[Operation]:
    """Return the operations of specifications, in the order of their paths."""
    return sorted(
        operation
        for path in paths
        for operation in operations(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def operations(specification: dict[str, Any]) -> Iterator[Operation]:
    """Yield the operations of one specification."""
    for path, methods in specification["paths"].items():
        for method in methods:
            if method in _METHODS:
                yield Operation(nameless(path), method.upper(), heading(path), path)


def served() -> dict[tuple[str, str], Route]:
    """Return the routes of dbt Cloud's API by method and nameless path."""
    return {
        (route.method, nameless(route.path)): route
        for route in ROUTE_TABLE
        if route.path != "/" and not route.path.startswith(_OWN)
    }


def nameless(path: str) -> str:
    """Return a path with empty braces for its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def heading(path: str) -> str:
    """Return the version and the kind of object that a path is about: `v3 projects`."""
    _, _, version, *rest = path.split("/")
    within = [part for part in rest if part and not part.startswith("{")]
    kind = within[1] if within[0] == "accounts" and len(within) > 1 else within[0]
    if kind == "projects" and len(within) > 2:
        kind = within[2]
    return f"{version} {kind}"


def row(method: str, path: str, route: Route | None) -> str:
    """Return a line of a table."""
    here = UNSERVED if route is None else DONE
    if route is not None and route.differs:
        here = f"{DIFFERS}: {route.differs}"
    return f"| {method} | `{path}` | {here} |"


def page(known: list[Operation]) -> str:
    """Return the whole page."""
    routes = served()
    sections: dict[str, list[str]] = {}
    for each in known:
        sections.setdefault(each.heading, []).append(row(each.method, each.shown, routes.get(each.key)))
    beyond = {key: route for key, route in routes.items() if key not in {each.key for each in known}}
    unserved = [title for title, rows in sections.items() if all(line.endswith(_REFUSED) for line in rows)]
    sections[_NOTHING] = [line for title in unserved for line in sections.pop(title)]
    sections[_BEYOND] = [row(route.method, _plain(route.path), route) for route in beyond.values()]
    tables = [_HEAD.format(title=title) + "\n".join(rows) + "\n" for title, rows in sections.items()]
    return "\n".join([_INTRODUCTION, summary(known, routes), *tables])


def summary(known: list[Operation], routes: dict[tuple[str, str], Route]) -> str:
    """Return the figures."""
    found = [routes.get(each.key) for each in known]
    differing = sum(1 for route in found if route is not None and route.differs)
    missing = found.count(None)
    done = len(known) - missing - differing
    return (
        f"Of {len(known)} published operations, {done} are done, {differing} differ in something, and "
        f"{missing} answer 501.\n"
    )


def _plain(path: str) -> str:
    return re.sub(r":[^}]*\}", "}", path)


def main(arguments: list[str]) -> None:
    """Write the page."""
    if not arguments:
        raise SystemExit("usage: python scripts/local_coverage.py openapi-v2.yaml openapi-v3.yaml")
    PAGE.write_text(page(published(map(Path, arguments))), encoding="utf-8")
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
