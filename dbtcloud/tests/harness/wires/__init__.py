"""Real wires for tests: servers that say anything, proxies that ask who is there, certificates of our own."""
