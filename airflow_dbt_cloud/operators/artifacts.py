"""The operators that fetch artifacts and logs of a run."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_dbt_cloud.operators.base import DbtCloudBaseOperator
from airflow_dbt_cloud.tasks.template_values import TemplateValue

if TYPE_CHECKING:
    from airflow.sdk import Context, ObjectStoragePath

    from airflow_dbt_cloud.hooks.downloads.storage import Target


class DbtCloudGetJobRunArtifactOperator(DbtCloudBaseOperator):
    """Fetch artifacts of a run into files or an object store, whatever their size.

    One artifact (`path`) becomes one file, whose name is returned. Several (`paths`) keep their own paths
    below `output_path`, and the list of written files is returned: in the order of `paths`, and by name where
    a pattern matches several. Bytes are written as dbt Cloud stores them, first under a temporary name: a
    download that fails leaves an earlier file untouched.

    Args:
        run_id: The run.
        path: The artifact, such as "manifest.json" or "compiled/shop/models/orders.sql".
        paths: Artifacts in place of `path`: names, and patterns such as "*.json" and "compiled/**" ("**"
            matches all of the run's artifacts). They are fetched ten at a time.
        step: The step whose artifact to fetch; the last if None. A pattern matches what that step wrote.
        output_file_name: Where to write the one artifact; `{run_id}_{path}` with `/` as `-` if None. Relative
            names are relative to `output_path`, or else to the worker's folder. With `output_path`, a name
            that leads out of it is refused.
        output_path: The folder to write to: a path, a URL such as "s3://bucket/folder", or an
            `ObjectStoragePath`. Below it an artifact keeps its own path, or has `output_file_name`; the
            returned name then includes the folder.
        output_conn_id: The connection for the object store of `output_path`.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudApiException: If there is no such artifact, it cannot be written, or dbt Cloud cannot be
            reached. An artifact that a run which has just ended lacks is tried again for up to a minute.
        ValueError: If not exactly one of `path` and `paths` is given, or `paths` without `output_path`, or
            with `output_file_name`.
    """

    template_fields = (
        "dbt_cloud_conn_id",
        "run_id",
        "path",
        "account_id",
        "output_file_name",
        "paths",
        "output_path",
        "output_conn_id",
    )

    def __init__(
        self,
        *,
        run_id: int | str,
        path: str | None = None,
        paths: list[str] | str | None = None,
        step: int | None = None,
        output_file_name: str | None = None,
        output_path: str | os.PathLike[str] | ObjectStoragePath | None = None,
        output_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id
        self.path = path
        self.paths = paths
        self.step = step
        self.output_path = _templated_path(output_path)
        self.output_conn_id = output_conn_id
        self.output_file_name = output_file_name
        self._has_default_name = output_file_name is None
        if (path is None) == (paths is None) or (path is None and (output_file_name or output_path is None)):
            raise self._wrong_arguments()
        if output_file_name is None and path is not None:
            self.output_file_name = self._default_name()

    def _default_name(self) -> str:
        """Return the file name, at parse time too: other tasks may refer to it when they are defined."""
        return f"{self.run_id}_{self.path}".replace("/", "-") if self.output_path is None else str(self.path)

    def _wrong_arguments(self) -> ValueError:
        return ValueError(
            f"path is {self.path!r}, paths is {self.paths!r} and output_path is {self.output_path!r}. "
            "Give path for one artifact, or paths and output_path for several, which keep their own names."
        )

    def execute(self, context: Context) -> str | list[str]:  # noqa: ARG002 -- Airflow's signature
        """Fetch the artifacts, and return where they are."""
        return self._fetch_one() if self.paths is None else self._fetch_several()

    def _fetch_one(self) -> str:
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
        from airflow_dbt_cloud.hooks.downloads.storage import join_target

        folder, path = (
            TemplateValue("output_path", self.output_path).location(),
            TemplateValue("path", self.path).text() or "",
        )
        given_name = TemplateValue("output_file_name", self.output_file_name).text() or ""
        name = self._default_name() if self._has_default_name else given_name
        with as_airflow_exceptions():
            if folder is not None:
                self._check_name(name, folder)
            target = join_target(
                folder, name, TemplateValue("output_conn_id", self.output_conn_id).location()
            )
        written = self._fetch(path, target)
        self.output_file_name = name
        self.log.info("Wrote %s of run %s to %s.", path, self.run_id, written)
        return name if folder is None else written

    def _fetch(self, path: str, target: Target) -> str:
        """Write an artifact as it arrives, or what a replaced `get_job_run_artifact` returns."""
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
        from airflow_dbt_cloud.hooks.downloads.replaced_artifact import store_artifact
        from airflow_dbt_cloud.hooks.verbs.own_verb import is_replaced

        hook = self.hook
        which: dict[str, Any] = {"run_id": self.run_id, "path": path}
        which |= {"account_id": self._account(), "step": self.step}
        if not is_replaced(hook.get_job_run_artifact):
            return hook.download_job_run_artifact(target=target, **which)
        with as_airflow_exceptions():
            return store_artifact(hook.get_job_run_artifact(**which), path, target)

    @staticmethod
    def _check_name(name: str, folder: object) -> None:
        """Raise ArtifactError for a name that leads out of the folder."""
        from dbtcloud.client.downloads.patterns import relative_path
        from dbtcloud.client.errors import ArtifactError

        try:
            relative_path(name)
        except ArtifactError as error:
            raise ArtifactError(
                f"Nothing was written to {name!r}",
                why=f"The name leads out of output_path, which is {folder}, or cannot be the name of a file",
                fix="Give an output_file_name below output_path, or only output_file_name",
            ) from error

    def _fetch_several(self) -> list[str]:
        from airflow_dbt_cloud.hooks.connection.base import as_airflow_exceptions
        from airflow_dbt_cloud.hooks.downloads.storage import join_target

        paths = TemplateValue("paths", self.paths).texts(
            'a list of names and patterns such as ["compiled/**"]'
        )
        folder = TemplateValue("output_path", self.output_path).location()
        if paths is None or folder is None:
            raise self._wrong_arguments()
        with as_airflow_exceptions():
            target = join_target(folder, "", TemplateValue("output_conn_id", self.output_conn_id).location())
        return self.hook.download_job_run_artifacts(
            run_id=self.run_id,
            paths=paths,
            folder=target,
            account_id=self._account(),
            step=self.step,
        )


class DbtCloudGetJobRunLogsOperator(DbtCloudBaseOperator):
    """Write the logs of a run's steps to a file or an object store, whatever their size.

    All steps go into one file, each below a line with its name; the log of a single step stays as it is. The
    file is written under a temporary name first: a failure leaves an earlier file untouched. Returns the
    file's name. To keep the logs of failed runs, too, give the task `trigger_rule="all_done"`.

    Args:
        run_id: The run. If it has not ended, its logs so far are written, and a warning is logged.
        steps: The positions of the steps, from 1, such as [4]; all if None.
        debug: Write dbt's debug log of each step that runs dbt, in its full length.
        output_file_name: Where to write; `{run_id}.log` if None, with `debug` `{run_id}_debug.log`. A
            relative name is relative to `output_path`, or else to the worker's folder.
        output_path: The folder to write to: a path, a URL such as "s3://bucket/folder", or an
            `ObjectStoragePath`. The returned name then includes it.
        output_conn_id: The connection for the object store of `output_path`.
        dbt_cloud_conn_id: The connection.
        account_id: The account; the connection's if None.
        hook_params: Further arguments of `DbtCloudHook`.
        kwargs: Arguments of Airflow's BaseOperator.

    Raises:
        DbtCloudApiException: If there is no such run or step, none of the steps has a log, the file cannot be
            written, or dbt Cloud cannot be reached. Logs that a run which has just ended lacks are waited
            for, a minute at most.
        ValueError: If an argument cannot be used.
    """

    template_fields = (
        "dbt_cloud_conn_id",
        "run_id",
        "steps",
        "account_id",
        "output_file_name",
        "output_path",
        "output_conn_id",
    )

    def __init__(
        self,
        *,
        run_id: int | str,
        steps: list[int] | int | str | None = None,
        debug: bool = False,
        output_file_name: str | None = None,
        output_path: str | os.PathLike[str] | ObjectStoragePath | None = None,
        output_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.run_id = run_id
        self.steps = steps
        self.debug = debug
        self.output_path = _templated_path(output_path)
        self.output_conn_id = output_conn_id
        self.output_file_name = output_file_name or f"{run_id}{'_debug' if debug else ''}.log"

    def execute(self, context: Context) -> str:  # noqa: ARG002 -- Airflow's signature
        """Write the logs, and return where they are."""
        from airflow_dbt_cloud.hooks.downloads.storage import join_target

        folder = TemplateValue("output_path", self.output_path).location()
        name = TemplateValue("output_file_name", self.output_file_name).text() or ""
        written = self.hook.download_job_run_logs(
            run_id=self.run_id,
            target=join_target(folder, name, TemplateValue("output_conn_id", self.output_conn_id).location()),
            account_id=self._account(),
            steps=TemplateValue("steps", self.steps).integers(),
            debug=self.debug,
        )
        return name if folder is None else written


def _templated_path(
    path: str | os.PathLike[str] | ObjectStoragePath | None,
) -> str | os.PathLike[str] | ObjectStoragePath | None:
    """Return a path in which Airflow 3.1, too, renders templates: a text, or a path that knows its store."""
    is_plain = isinstance(path, PurePath) and not hasattr(type(path), "fs")
    return str(path) if is_plain else path
