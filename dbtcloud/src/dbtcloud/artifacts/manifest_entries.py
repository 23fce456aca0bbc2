"""What a dbt project holds, as its manifest tells it: nodes, sources, exposures, groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.json_values import Json, as_mapping, as_text, as_texts


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for a group or an exposure."""

    name: str = ""
    email: str = ""

    @classmethod
    def parse(cls, data: object) -> Self:
        """Read `owner`; an address may be a list of several, of which the first counts."""
        known = as_mapping(data)
        return cls(as_text(known.get("name")), next(iter(as_texts(known.get("email"))), ""))


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """What everything in a manifest has in common.

    Attributes:
        unique_id: Such as "model.shop.orders".
        name: Its own name.
        package: The package that it belongs to; the project's own carries the project's name.
        description: As written in the project, or "".
        tags: In the project's order, each once.
        meta: `config.meta`, or `meta` where that is empty.
        original_file_path: The source file in its package, such as "models/marts/orders.sql".
    """

    unique_id: str
    name: str = ""
    package: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    meta: Json = field(default_factory=dict)
    original_file_path: str = ""


@dataclass(frozen=True, slots=True)
class ManifestNode(ManifestEntry):
    """A model, seed, snapshot, test, analysis or operation.

    Attributes:
        resource_type: dbt's word for what it is.
        database: Where it is built.
        schema: Where it is built.
        relation_name: The table or view, as the database names it; None for what is none.
        depends_on: Unique ids of nodes and sources that it is made from.
        compiled_path: The artifact with its compiled code, such as "compiled/shop/models/orders.sql".
        materialized: Such as "table", or "".
        group: The group that it belongs to, or None.
        access: "private", "protected", "public", or "".
        version: Of a versioned model, as text; None for others.
        freshness: When it is worth building anew; None where nothing says.
        enabled: Whether the project uses it.
    """

    resource_type: str = ""
    database: str = ""
    schema: str = ""
    relation_name: str | None = None
    depends_on: tuple[str, ...] = ()
    compiled_path: str | None = None
    materialized: str = ""
    group: str | None = None
    access: str = ""
    version: str | None = None
    freshness: Freshness | None = None
    enabled: bool = True

    @property
    def owner(self) -> str | None:
        """`meta.owner`, where people put it; a group has one of its own."""
        owner = self.meta.get("owner")
        return owner if isinstance(owner, str) else None


@dataclass(frozen=True, slots=True)
class ManifestSource(ManifestEntry):
    """A table that dbt reads and does not make.

    Attributes:
        source_name: The source that the table belongs to.
        database: Where it is.
        schema: Where it is.
        identifier: The table's name in the database.
        relation_name: The same as the database quotes it, with its place.
        loader: Who fills it, in the project's words, or "".
        loaded_at_field: The column that tells how fresh a row is, or None.
        freshness: How fresh it has to be; None where nothing says.
    """

    source_name: str = ""
    database: str = ""
    schema: str = ""
    identifier: str = ""
    relation_name: str | None = None
    loader: str = ""
    loaded_at_field: str | None = None
    freshness: Freshness | None = None


@dataclass(frozen=True, slots=True)
class Exposure(ManifestEntry):
    """A use of the project's models: a dashboard, an application.

    Attributes:
        type: dbt's word for what it is.
        owner: Who answers for it.
        url: Where it is, or None.
        label: Its name for people, or "".
        depends_on: Unique ids of nodes and sources that it uses.
    """

    type: str = ""
    owner: Owner = Owner()
    url: str | None = None
    label: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group(ManifestEntry):
    """A group of nodes and who answers for it."""

    owner: Owner = Owner()
