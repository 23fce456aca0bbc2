"""The description of this provider for Airflow: a literal, so that reading it costs nothing."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    return {
        "package-name": "airflow-dbt-cloud",
        "name": "dbt Cloud",
        "description": "Run dbt Cloud jobs, wait for them reliably, and read their results.",
        "integrations": [
            {
                "integration-name": "dbt Cloud",
                "external-doc-url": "https://docs.getdbt.com/docs/cloud/about-cloud/dbt-cloud-features",
                "tags": ["dbt"],
            }
        ],
        "connection-types": [
            {
                "connection-type": "dbt_cloud",
                "hook-class-name": "airflow_dbt_cloud.hooks.dbt.DbtCloudHook",
                "hook-name": "dbt Cloud",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {
                        "host": "Tenant / Access URL",
                        "login": "Account ID",
                        "password": "API Token",
                    },
                    "placeholders": {
                        "host": "ab123.us1.dbt.com (Account settings: Access URL)",
                        "login": "12345",
                        "password": "Service token or personal access token",
                        "extra": '{"timeout": 60, "verify": "/path/to/ca.pem", "trust_env": true}',
                    },
                },
                "conn-fields": {
                    "proxies": {
                        "label": "Proxies",
                        "description": 'Proxy addresses by scheme, such as {"https": "http://proxy:3128"}.',
                        "schema": {"type": ["object", "null"]},
                    },
                    "discovery_url": {
                        "label": "Discovery URL",
                        "description": "Address of the Discovery API; derived from the host when empty.",
                        "schema": {"type": ["string", "null"]},
                    },
                },
            }
        ],
        "hooks": [{"integration-name": "dbt Cloud", "python-modules": ["airflow_dbt_cloud.hooks.dbt"]}],
        "operators": [
            {"integration-name": "dbt Cloud", "python-modules": ["airflow_dbt_cloud.operators.dbt"]}
        ],
        "sensors": [{"integration-name": "dbt Cloud", "python-modules": ["airflow_dbt_cloud.sensors.dbt"]}],
        "triggers": [{"integration-name": "dbt Cloud", "python-modules": ["airflow_dbt_cloud.triggers.dbt"]}],
        "extra-links": ["airflow_dbt_cloud.operators.dbt.DbtCloudRunJobOperatorLink"],
    }
