"""The hook's methods, by what they speak of."""
