"""Fetches artifacts of a run into an S3 of its own, over a connection, and says as JSON what lies there."""

import json
import os
import sys
from types import SimpleNamespace
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.dbt import DbtCloudGetJobRunArtifactOperator

RUN = int(sys.argv[1])
OF_THE_LAKE = {"login": "a-made-up-key", "password": "a-made-up-secret"}


def fetched(**arguments: Any) -> Any:
    """What the operator returns, or the message of its exception."""
    ti = SimpleNamespace(xcom_push=lambda **_: None)
    try:
        return DbtCloudGetJobRunArtifactOperator(task_id="fetch", run_id=RUN, **arguments).execute({"ti": ti})
    except DbtCloudApiException as error:
        return str(error)


if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    where = "http://{}:{}".format(*server.get_host_and_port())
    extra = {"endpoint_url": where, "region_name": "us-east-1"}
    os.environ["AIRFLOW_CONN_LAKE"] = json.dumps({"conn_type": "aws", **OF_THE_LAKE, "extra": extra})
    s3 = boto3.client(
        "s3",
        endpoint_url=where,
        region_name="us-east-1",
        aws_access_key_id=OF_THE_LAKE["login"],
        aws_secret_access_key=OF_THE_LAKE["password"],
    )
    s3.create_bucket(Bucket="bakery")
    told = {
        "one": fetched(path="run_results.json", output_path="s3://lake@bakery/one"),
        "named": fetched(path="run_results.json", output_file_name="s3://lake@bakery/named/results.json"),
        "all": fetched(paths=["**"], output_path="s3://bakery/all", output_conn_id="lake"),
        "nowhere": fetched(path="run_results.json", output_path="s3://lake@brewery/one"),
        "missing": fetched(path="sources.json", output_path="s3://lake@bakery/one"),
    }
    names = [each["Key"] for each in s3.list_objects_v2(Bucket="bakery")["Contents"]]
    told["objects"] = {
        name: s3.get_object(Bucket="bakery", Key=name)["Body"].read().decode() for name in names
    }
    print(json.dumps(told))  # noqa: T201 - the answer
    server.stop()
