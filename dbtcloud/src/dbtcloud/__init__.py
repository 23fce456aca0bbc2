"""dbt Cloud for Python programs: a client, reports on runs, and a dbt Cloud on your own machine.

A first example reads a run:

    from dbtcloud.client import endpoints
    from dbtcloud.client.transport.credentials import Credentials
    from dbtcloud.client.transport.sync_client import SyncClient

    credentials = Credentials(base_url="https://ab123.us1.dbt.com", token="dbtc_your_token")
    with SyncClient(credentials) as client:
        print(client.ask(endpoints.get_run(1, 42)).status)
"""

__version__ = "0.1.0"
