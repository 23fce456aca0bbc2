"""The errors of a query, and the limits of its length and its depth."""

from graphql import GraphQLError

MAX_TOKENS = 2_000
"""Validation compares all fields with one another, so that its time grows with the square of this."""
MAX_DEPTH = 15
"""Levels of nested fields, without introspection. dbt's own clients use eight."""

BAD_USER_INPUT, VALIDATION_FAILED = "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"


def graphql_error(message: str, code: str = BAD_USER_INPUT) -> GraphQLError:
    """Return an error with one of the error codes of Apollo Server."""
    return GraphQLError(message, extensions={"code": code})
