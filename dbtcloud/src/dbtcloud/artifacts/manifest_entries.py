"""The entries of a manifest: nodes, sources, exposures and groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from dbtcloud.artifacts.freshness import Freshness
from dbtcloud.artifacts.json_values import Json, as_mapping, as_text, as_texts


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of a node, a group or an exposure."""

    name: str = ""
    email: str = ""

    @classmethod
    def parse(cls, data: object) -> Self:
        """Parse `owner`. Of several email addresses the first is taken."""
        owner = as_mapping(data)
        return cls(as_text(owner.get("name")), next(iter(as_texts(owner.get("email"))), ""))


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """The fields that all entries of a manifest have.

    Attributes:
        unique_id: Its unique id, such as "model.shop.orders".
        name: Its name.
        package: Its package. The project's own package has the project's name.
        description: Its description, or "".
        tags: Its tags in the project's order, each once.
        meta: `config.meta`, or `meta` if that is empty.
        original_file_path: Its source file in the package, such as "models/marts/orders.sql".
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
        resource_type: dbt's name of its type, such as "model".
        database: The database that it is built in.
        schema: The schema that it is built in.
        relation_name: The quoted name of its table or view, or None if it has none.
        depends_on: The unique ids of the nodes and sources that it depends on.
        compiled_path: The artifact with its compiled code, such as "compiled/shop/models/orders.sql".
        materialized: Its materialisation, such as "table", or "".
        group: The name of its group, or None.
        access: "private", "protected", "public", or "".
        version: The version of a versioned model as text, or None.
        freshness: The age from which it is built again, or None.
        enabled: Whether it is enabled in the project.
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
        """The text in `meta.owner`, or None."""
        owner = self.meta.get("owner")
        return owner if isinstance(owner, str) else None


@dataclass(frozen=True, slots=True)
class ManifestSource(ManifestEntry):
    """A table that dbt reads but does not build.

    Attributes:
        source_name: The name of the source that the table belongs to.
        database: Its database.
        schema: Its schema.
        identifier: The table's name in the database.
        relation_name: Its quoted name with database and schema, or None.
        loader: The tool that loads it, as the project says, or "".
        loaded_at_field: The column with the time at which a row was loaded, or None.
        freshness: The limits for its age, or None.
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
        type: dbt's name of its type, such as "dashboard".
        owner: Its owner.
        url: Its address, or None.
        label: Its display name, or "".
        depends_on: The unique ids of the nodes and sources that it uses.
    """

    type: str = ""
    owner: Owner = Owner()
    url: str | None = None
    label: str = ""
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group(ManifestEntry):
    """A group of nodes with an owner."""

    owner: Owner = Owner()
