"""The errors of preparing dbt Core.

RunnerError
├── EnvironmentCreationError  dbt could not be installed
├── InvalidDbtConfiguration   a project, a profile, a step or a version of dbt is not valid
├── GitError                  git could not fetch the project
└── MissingExtra              a library of the ``local`` extra is not installed
"""


class RunnerError(Exception):
    """The base class. Each message says what happened, why, and what to do."""


class EnvironmentCreationError(RunnerError):
    """The environment of dbt could not be created. The message has the last lines of the installer."""


class InvalidDbtConfiguration(RunnerError, ValueError):
    """A project, profile, target, step or version of dbt that cannot be run as given."""


class GitError(RunnerError):
    """Git could not fetch the project, or the branch or commit does not exist."""


class MissingExtra(RunnerError, ImportError):
    """A library of ``dbtcloud[local]`` is not installed."""

    @classmethod
    def from_import_error(cls, error: ImportError) -> "MissingExtra":
        """Return an error that names the missing module and the command that installs it."""
        return cls(
            f"The module {error.name!r} is not installed. It is part of the 'local' extra of dbtcloud."
            " Run: pip install 'dbtcloud[local]'"
        )

    @classmethod
    def check(cls) -> None:
        """Check that the libraries of the extra are installed, before the first run needs them.

        Raises:
            MissingExtra: A library of the extra is missing.
        """
        try:
            import filelock  # noqa: F401 - only checks that it is installed
            import platformdirs  # noqa: F401
            import psutil  # noqa: F401
            import yaml  # noqa: F401
        except ImportError as error:
            raise cls.from_import_error(error) from error
