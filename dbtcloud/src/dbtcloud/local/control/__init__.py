"""The control plane under `/_local/`: seed, faults, rate limit, request log and tokens."""
