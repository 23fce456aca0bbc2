"""The command of a job's step, such as ``dbt build --select orders``, split into arguments."""

import shlex

from dbtcloud.core.runner_errors import InvalidDbtConfiguration

_SHELL_OPERATORS = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<"})


def parse_command_line(step: str) -> tuple[str, ...]:
    """Split the text of a step as a shell does, without running a shell.

    Args:
        step: An entry of a job's ``execute_steps`` or a run's ``steps_override``.

    Returns:
        The arguments after ``dbt``. There is at least one.

    Raises:
        InvalidDbtConfiguration: The text is not exactly one dbt command. dbt Cloud runs one per step.
    """
    words = _split(step)
    if not words or words[0] != "dbt":
        raise _invalid(step, "it does not begin with 'dbt'")
    if operators := _SHELL_OPERATORS.intersection(words):
        raise _invalid(step, f"it contains {min(operators)!r}, but steps run without a shell")
    if len(words) == 1:
        raise _invalid(step, "it has no subcommand")
    return tuple(words[1:])


def _split(step: str) -> list[str]:
    try:
        return shlex.split(step)
    except ValueError as error:
        raise _invalid(step, f"its quoting is broken ({error})") from error


def _invalid(step: str, why: str) -> InvalidDbtConfiguration:
    return InvalidDbtConfiguration(
        f"The step {step!r} cannot be run: {why}."
        " Write one dbt command for each step, for example: dbt build --select orders"
    )
