"""OpenLineage events of dbt Cloud runs. The OpenLineage libraries are imported only when they are used."""
