"""The GraphQL schema, built from the object types and their groups of fields."""

from functools import cache
from importlib import resources
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, ValueNode, build_schema
from graphql.language import IntValueNode, StringValueNode

from dbtcloud.local.discovery.field_groups import INTERFACES
from dbtcloud.local.discovery.object_types import OBJECT_TYPES, STATE_TYPES

_Groups = tuple[str, ...]
_MAX_DIGITS = 18
_PAGE_ARGUMENTS = "first: Int, after: String"


@cache
def discovery_schema() -> GraphQLSchema:
    """Return the schema, which is built once in a process."""
    fixed = resources.files(__package__).joinpath("types.graphql").read_text("utf-8")
    schema = build_schema("\n".join([fixed, *_interfaces(), *_nodes(), *_states()]))
    _define_big_int(schema)
    return schema


def _interfaces() -> list[str]:
    return [f"interface {name} {{ {fields} }}" for name, fields in INTERFACES.items()]


def _nodes() -> list[str]:
    return [_object_type(name, interfaces, groups) for name, (interfaces, groups) in OBJECT_TYPES.items()]


def _object_type(name: str, interfaces: _Groups, groups: _Groups) -> str:
    """Return an object type. Where several groups define a field, the last definition counts."""
    lines = [
        line.strip()
        for group in (*(INTERFACES[each] for each in interfaces), *groups)
        for line in group.splitlines()
    ]
    fields = {line.split("(")[0].split(":")[0]: line for line in lines if line}
    implements = f" implements {' & '.join(interfaces)}" if interfaces else ""
    return f"type {name}{implements} {{ {' '.join(fields.values())} }}"


def _states() -> list[str]:
    """Return the two states and the connection types of their lists."""
    written = []
    for state, lists in STATE_TYPES.items():
        fields = [
            f"{name}({', '.join((_PAGE_ARGUMENTS, *arguments))}): {node}Connection!"
            for name, (node, *arguments) in lists.items()
        ]
        written.append(f"extend type {state} {{ {' '.join(fields)} }}")
        written += [_connection_types(node) for node, *_ in lists.values()]
    return written


def _connection_types(node: str) -> str:
    return (
        f"type {node}Connection {{ edges: [{node}Edge!]! pageInfo: PageInfo! totalCount: Int! }} "
        f"type {node}Edge {{ cursor: String! node: {node}! }}"
    )


def _define_big_int(schema: GraphQLSchema) -> None:
    # All other scalars return their values unchanged.
    big = schema.type_map["BigInt"]
    assert isinstance(big, GraphQLScalarType)
    big.coerce_input_value = _parse_big_int
    big.coerce_input_literal = _parse_big_int_literal


def _parse_big_int(value: Any) -> int:
    text = str(value)
    digits = text.removeprefix("-")
    if isinstance(value, bool | float) or not (
        digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
    ):
        raise GraphQLError(
            f"BigInt cannot represent {value!r}: give a whole number of at most {_MAX_DIGITS} digits."
        )
    return int(text)


def _parse_big_int_literal(node: ValueNode) -> int:
    return _parse_big_int(node.value if isinstance(node, IntValueNode | StringValueNode) else None)
