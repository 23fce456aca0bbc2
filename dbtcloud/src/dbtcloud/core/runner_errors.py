"""What can go wrong before dbt itself has a word.

RunnerError
├── EnvironmentNotMade   dbt could not be installed
├── NotADbtCommand       a job's step is not a dbt command line
├── NotADbtProject       a folder without dbt_project.yml
├── NoProfile            the project's profile is in no profiles.yml
├── GitFailed            the sources could not be fetched
├── UnsupportedDbt       a version that cannot be installed
└── MissingExtra         a library of the ``local`` extra is absent
"""


class RunnerError(Exception):
    """The root: every message says what happened, why, and what to do."""


class EnvironmentNotMade(RunnerError):
    """dbt's own environment could not be made; the installer's last lines are in the message."""


class NotADbtCommand(RunnerError, ValueError):
    """The text of a job's step cannot be run as one dbt command."""


class NotADbtProject(RunnerError, ValueError):
    """The folder holds no dbt project."""


class NoProfile(RunnerError, ValueError):
    """The profile that the project names is in no ``profiles.yml``, or has no such target."""


class GitFailed(RunnerError):
    """Git could not fetch the sources, or there is no such branch or commit."""


class UnsupportedDbt(RunnerError, ValueError):
    """The dbt that is asked for cannot be installed from the package index."""


class MissingExtra(RunnerError, ImportError):
    """A library is absent that comes with ``dbtcloud[local]``."""

    @classmethod
    def of(cls, error: ImportError) -> "MissingExtra":
        """Name the absent module and the command that brings it."""
        return cls(
            f"The module {error.name!r} cannot be imported. It comes with the 'local' extra of"
            " dbtcloud, which is not installed here."
            " Run: pip install 'dbtcloud[local]'"
        )
