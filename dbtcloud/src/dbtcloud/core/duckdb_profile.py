"""A dbt profile for one DuckDB file."""

import json
from dataclasses import dataclass
from pathlib import Path

PROFILE_NAME = "local"


@dataclass(frozen=True, slots=True)
class DuckDbProfile:
    """A profile with one target.

    Attributes:
        database: The DuckDB file. Its stem is the name of the database in the manifest.
        target_name: ``{{ target.name }}`` in the project.
        schema: ``{{ target.schema }}``, the schema of the models.
        threads: The number of nodes that dbt builds at a time.
    """

    database: Path
    target_name: str
    schema: str
    threads: int

    def write(self, folder: Path) -> Path:
        """Write ``profiles.yml`` into ``folder`` and return its path."""
        output = {
            "type": "duckdb",
            "path": str(self.database),
            "schema": self.schema,
            "threads": self.threads,
        }
        profiles = {PROFILE_NAME: {"target": self.target_name, "outputs": {self.target_name: output}}}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "profiles.yml"
        # JSON is valid YAML, and quotes every name.
        path.write_text(json.dumps(profiles, indent=2) + "\n", encoding="utf-8")
        return path
