"""A client survives forks, closes from its own threads, and leaves nothing open when a reader stops early."""

import os

import pytest

from dbtcloud import DbtCloudClient
from dbtcloud.errors import ClientClosed


@pytest.fixture
def many(dbt_cloud):
    """A dbt Cloud with a thousand projects."""
    dbt_cloud.control.seed(projects=[{"id": 1000 + number, "name": f"P{number}"} for number in range(1000)])
    return dbt_cloud


def client_of(cloud, **options):
    return DbtCloudClient(cloud.token, 1, cloud.url, **options)


def test_a_fork_of_a_process_reads_lists_over_connections_of_its_own(many):
    with client_of(many) as client:
        assert len(client.projects.list().all()) >= 1000
        child = os.fork()
        if not child:
            os._exit(0 if len(client.projects.list().all()) >= 1000 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert client.projects.list().first()


def test_a_callback_in_a_thread_of_the_client_may_close_it(many):
    client = client_of(many, on_response=lambda event: requests.append(event) or _close_at(requests, client))
    requests: list[object] = []
    with pytest.raises(ClientClosed):
        client.projects.list().all()


def _close_at(requests, client):
    if len(requests) == 3:
        client.close()


def test_nothing_is_read_of_a_list_without_room(many):
    before = len(many.control.requests())
    with client_of(many) as client:
        assert client.projects.list(limit=0).first() is None
        assert client.projects.list(limit=0).all() == []
    assert len(many.control.requests()) == before


def test_few_requests_bring_the_first_rows(many):
    with client_of(many) as client:
        many.control.reset()
        rows = iter(client.projects.list())
        assert next(rows).name == "Sample bakery"
        rows.close()
    assert len(many.control.requests()) == 1
