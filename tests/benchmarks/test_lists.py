import pytest

from benchmarks.cloud import JOB, Cloud
from benchmarks.lists import listed
from benchmarks.providers import both


@pytest.mark.extensive
def test_a_list_is_measured_by_its_rows_requests_and_seconds() -> None:
    ours = both()[0]
    with Cloud() as cloud:
        cloud.ask("POST", "seed", {"jobs": [{"id": JOB + 1, "name": "Another", "pretend": {}}]})
        cloud.ask("POST", "seed", {"runs": [{"job_id": JOB, "count": 250}]})

        whole = listed(ours, cloud, {"limit": 1000}, delay=0.1)
        pages = listed(ours, cloud, {}, delay=0.0, by="hook")
        newest = listed(ours, cloud, {"latest_only": True}, delay=0.0)

    assert (whole.rows, whole.requests) == (250, 3)
    assert whole.seconds >= 0.2
    assert (pages.rows, pages.requests) == (250, 3)
    assert (newest.rows, newest.requests) == (1, 1)
