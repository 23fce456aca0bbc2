"""The Discovery API: GraphQL over what finished runs have left behind."""
