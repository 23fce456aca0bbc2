"""dbt's own scalar types."""

from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, ValueNode
from graphql.language import IntValueNode, StringValueNode

_DIGITS = 18


def define_scalars(schema: GraphQLSchema) -> None:
    """Let `BigInt` take whole numbers and their text; all other scalars give what there is."""
    big = schema.type_map["BigInt"]
    assert isinstance(big, GraphQLScalarType)
    big.coerce_input_value = _whole
    big.coerce_input_literal = _literal


def _whole(value: Any) -> int:
    text = str(value)
    digits = text.removeprefix("-")
    if isinstance(value, bool | float) or not (
        digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS
    ):
        raise GraphQLError(
            f"BigInt cannot represent {value!r}: give a whole number of at most {_DIGITS} digits."
        )
    return int(text)


def _literal(node: ValueNode) -> int:
    return _whole(node.value if isinstance(node, IntValueNode | StringValueNode) else None)
