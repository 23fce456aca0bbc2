"""The GraphQL schema, put together from groups of fields; names and types are those of dbt's own."""

from functools import cache
from importlib import resources

from graphql import GraphQLSchema, build_schema

from dbtcloud.local.discovery.groups import INTERFACES
from dbtcloud.local.discovery.scalars import define_scalars
from dbtcloud.local.discovery.sdl import KINDS, STATES

_Groups = tuple[str, ...]


@cache
def discovery_schema() -> GraphQLSchema:
    """Return the schema; it is put together once in a process."""
    fixed = resources.files(__package__).joinpath("types.graphql").read_text("utf-8")
    schema = build_schema("\n".join([fixed, *_interfaces(), *_nodes(), *_states()]))
    define_scalars(schema)
    return schema


def _interfaces() -> list[str]:
    return [f"interface {name} {{ {fields} }}" for name, fields in INTERFACES.items()]


def _nodes() -> list[str]:
    return [_type(name, interfaces, groups) for name, (interfaces, groups) in KINDS.items()]


def _type(name: str, interfaces: _Groups, groups: _Groups) -> str:
    """Write an object type; a field that several groups name is there once, as the last of them has it."""
    lines = [
        line.strip()
        for group in (*(INTERFACES[each] for each in interfaces), *groups)
        for line in group.splitlines()
    ]
    fields = {line.split("(")[0].split(":")[0]: line for line in lines if line}
    implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
    return f"type {name}{implements} {{ {' '.join(fields.values())} }}"


def _states() -> list[str]:
    """Write what holds pages of nodes, and the pages."""
    written = []
    for state, lists in STATES.items():
        fields = [
            f"{name}({', '.join((_PAGE, *arguments))}): {node}Connection!"
            for name, (node, *arguments) in lists.items()
        ]
        written.append(f"extend type {state} {{ {' '.join(fields)} }}")
        written += [_pages(node) for node, *_ in lists.values()]
    return written


_PAGE = "first: Int, after: String"


def _pages(node: str) -> str:
    return (
        f"type {node}Connection {{ edges: [{node}Edge!]! pageInfo: PageInfo! totalCount: Int! }} "
        f"type {node}Edge {{ cursor: String! node: {node}! }}"
    )
