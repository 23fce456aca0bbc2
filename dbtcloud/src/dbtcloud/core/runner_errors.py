"""The errors of preparing dbt Core.

RunnerError
├── EnvironmentCreationError  dbt could not be installed
├── InvalidDbtCommand         a job's step is not a dbt command
├── InvalidDbtProject         a folder is not a dbt project
├── ProfileNotFound           the project's profile is in no profiles.yml
├── GitError                  git could not fetch the project
├── UnsupportedDbtVersion     this version of dbt cannot be installed
└── MissingExtra              a library of the ``local`` extra is not installed
"""


class RunnerError(Exception):
    """The base class. Each message says what happened, why, and what to do."""


class EnvironmentCreationError(RunnerError):
    """The environment of dbt could not be created. The message has the last lines of the installer."""


class InvalidDbtCommand(RunnerError, ValueError):
    """The text of a job's step is not one dbt command."""


class InvalidDbtProject(RunnerError, ValueError):
    """The folder is not a dbt project."""


class ProfileNotFound(RunnerError, ValueError):
    """No ``profiles.yml`` has the project's profile, or the profile does not have the target."""


class GitError(RunnerError):
    """Git could not fetch the project, or the branch or commit does not exist."""


class UnsupportedDbtVersion(RunnerError, ValueError):
    """The requested version of dbt cannot be installed from the package index."""


class MissingExtra(RunnerError, ImportError):
    """A library of ``dbtcloud[local]`` is not installed."""

    @classmethod
    def from_import_error(cls, error: ImportError) -> "MissingExtra":
        """Return an error that names the missing module and the command that installs it."""
        return cls(
            f"The module {error.name!r} is not installed. It is part of the 'local' extra of dbtcloud."
            " Run: pip install 'dbtcloud[local]'"
        )
