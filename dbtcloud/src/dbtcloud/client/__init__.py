"""A client for dbt Cloud's APIs that needs no Airflow.

An endpoint returns a call, and a client carries it out:

    from dbtcloud.client import endpoints
    from dbtcloud.client.transport.credentials import Credentials
    from dbtcloud.client.transport.sync_client import SyncClient

    credentials = Credentials(base_url="https://ab123.us1.dbt.com", token="dbtc_your_token")
    with SyncClient(credentials) as client:
        run = client.ask(endpoints.get_run(1, 42))

`transport.async_client.AsyncClient` carries out the same calls on an event loop. The modules directly in this
package do no input or output.
"""
