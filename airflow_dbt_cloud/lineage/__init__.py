"""OpenLineage: imported only where it is used."""
