"""The hook's verbs, by resource."""
