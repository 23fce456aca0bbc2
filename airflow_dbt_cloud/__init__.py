"""Run dbt Cloud jobs from Apache Airflow."""

__version__ = "0.1.0"


def require_same_version() -> None:
    """Check that the installed `dbtcloud` has the version of this provider.

    The packages that use it call this when they are imported. This package itself does not: an error here
    would break `airflow providers list`.

    Raises:
        ImportError: If the versions differ.
    """
    try:
        import dbtcloud
    except ImportError:
        found = None
    else:
        # Where none is installed, a folder `dbtcloud/` in the current one is imported as an empty namespace.
        found = getattr(dbtcloud, "__version__", None)
    if found != __version__:
        raise ImportError(
            f"airflow-dbt-cloud {__version__} needs dbtcloud {__version__}, but "
            f"{f'dbtcloud {found}' if found else 'none'} is installed. "
            "Run `pip install ./dbtcloud .` in a checkout of airflow-dbt-cloud."
        )
