"""Lists all runs with one client and prints how many there were, the seconds, and the CPU seconds, as JSON.

`python list_with_client.py dbtcloud|dbtc HOST`
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

PAGE = 100


def with_dbtcloud(host: str) -> Callable[[], int]:
    """The runs as objects, by the client of this project."""
    from dbtcloud import DbtCloudClient

    client = DbtCloudClient("a-made-up-token", 1, host)
    client.runs.list(limit=1).first()  # dbtc imports requests beforehand
    return lambda: len(client.runs.list().all())


def with_dbtc(host: str) -> Callable[[], int]:
    """The runs as dicts, by dbtc: its users ask for one page after the other."""
    from dbtc import dbtCloudClient

    cloud = dbtCloudClient(api_key="a-made-up-token", host=host).cloud
    cloud.list_runs(1, limit=1, offset=0)

    def count() -> int:
        rows: list[Any] = []
        while page := cloud.list_runs(1, order_by="-id", limit=PAGE, offset=len(rows)):
            rows += page["data"]
            if len(rows) >= page["extra"]["pagination"]["total_count"]:
                break
        return len(rows)

    return count


if __name__ == "__main__":
    listed = {"dbtcloud": with_dbtcloud, "dbtc": with_dbtc}[sys.argv[1]](sys.argv[2])
    begun, worked = time.perf_counter(), time.process_time()
    count = listed()
    took = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - worked}
    print(json.dumps({"count": count, **took}))
