"""What follows from a node's definition, and both fields and filters ask for."""

from dbtcloud.local.discovery.nodes import Node

_LAYERS = ("staging", "intermediate", "marts")


def tags(node: Node) -> list[str]:
    """Return a node's tags."""
    return list(node.body.get("tags") or node.config.get("tags") or ())


def identifier(node: Node) -> str | None:
    """Return the name of a node's table."""
    body = node.body
    return body.get("identifier") or body.get("alias") or body.get("name")


def modeling_layer(node: Node) -> str | None:
    """Return the layer that a model's folder names: staging, intermediate or marts."""
    folders = {part.lower() for part in (node.body.get("fqn") or ())[:-1]}
    return next((layer for layer in _LAYERS if layer in folders), None)


def check_type(node: Node) -> str:
    """Return `TestType`: a test of the project's own SQL is singular, one that is configured generic."""
    if node.body["resource_type"] == "unit_test":
        return "UNIT_TEST"
    return "GENERIC_DATA_TEST" if node.body.get("test_metadata") else "SINGULAR_DATA_TEST"
