"""A job's step, such as ``dbt build --select orders``, as the arguments of one process."""

import shlex

from dbtcloud.core.runner_errors import NotADbtCommand

_SHELL = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<"})


def parse(step: str) -> tuple[str, ...]:
    """Take a step's text apart as a shell would, without a shell.

    Args:
        step: The text as it stands in a job's ``execute_steps`` or a run's ``steps_override``.

    Returns:
        The arguments after ``dbt``, never empty.

    Raises:
        NotADbtCommand: The text is no single dbt command. dbt Cloud runs only dbt commands, one a step.
    """
    words = _words(step)
    if not words or words[0] != "dbt":
        raise _refusal(step, "it does not begin with 'dbt'")
    if shell := _SHELL.intersection(words):
        raise _refusal(step, f"no shell reads it, so {min(shell)!r} has no meaning")
    if len(words) == 1:
        raise _refusal(step, "it names no subcommand")
    return tuple(words[1:])


def _words(step: str) -> list[str]:
    try:
        return shlex.split(step)
    except ValueError as error:
        raise _refusal(step, f"its quoting is broken ({error})") from error


def _refusal(step: str, why: str) -> NotADbtCommand:
    return NotADbtCommand(
        f"The step {step!r} cannot be run: {why}."
        " Write one dbt command for each step, for example: dbt build --select orders"
    )
