"""dbt Cloud without Airflow: what is asked, what comes back, and two engines that speak it.

The conversation modules (`protocol`, `endpoints`, `flows`, `models`, `errors`, `retry`) do no I/O; `sync` and
`aio` carry them over requests and aiohttp. A first conversation:

    from dbtcloud.client import endpoints
    from dbtcloud.client.transport.credentials import Credentials
    from dbtcloud.client.transport.blocking import Client

    with Client(Credentials(base_url="https://ab123.us1.dbt.com", account_id=1, token="…")) as client:
        run = client.ask(endpoints.get_run(1, 42))
"""
