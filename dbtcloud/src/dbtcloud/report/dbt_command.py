"""Reads a command such as `dbt build --select orders` as dbt does, and changes what it selects.

dbt's command line is documented under "Command line options and flags"; its option for selection takes every
word up to the next option.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from dbtcloud.client.models import Step

_SELECTION_OPTIONS = frozenset(
    {"--select", "-s", "--models", "--model", "-m", "--exclude"}
    | {"--resource-type", "--resource-types", "--exclude-resource-type", "--exclude-resource-types"}
)
"""Options that say what is selected, each with all the words up to the next option."""

_SINGLE_SELECTION_OPTIONS = frozenset({"--selector", "--indirect-selection"})
"""Options that say what is selected by the one word that follows."""

_VALUE_OPTIONS = frozenset(
    {"--add-package", "--args", "--defer-state", "--event-time-end", "--event-time-start", "--host"}
    | {"--inline", "--inline-direct", "--limit", "--log-file-max-bytes", "--log-format", "--log-format-file"}
    | {"--log-level", "--log-level-file", "--log-path", "--output", "--partial-parse-file-path", "--port"}
    | {"--printer-width", "--profile", "--profiles-dir", "--project-dir", "--record-timing-info", "--sample"}
    | {"--source", "--sqlparse", "--state", "--target", "--target-path", "--threads", "--vars"}
    | {"--warn-error-options", "-o", "-r", "-t"}
)
"""Other options with a value: that may begin with a dash, and is no option all the same."""

_COMMAND_GROUPS = ("docs", "source")
"""Commands that are followed by another, such as `docs generate`."""


@dataclass(frozen=True, slots=True)
class CommandPart:
    """One option with its values, or a word that belongs to none.

    Attributes:
        option: The option's name, such as "--select"; "" for a word that belongs to none.
        words: All of it as it was written.
        flags: The flags before a short option that was written with them: "-x" of "-xs".
    """

    option: str
    words: tuple[str, ...]
    flags: str = ""

    @property
    def selects(self) -> bool:
        """Whether it says what is selected."""
        return self.option in _SELECTION_OPTIONS | _SINGLE_SELECTION_OPTIONS

    @property
    def kept(self) -> tuple[str, ...]:
        """What stays of it where the selection goes."""
        if not self.selects:
            return self.words
        return (self.flags,) if self.flags else ()


@dataclass(frozen=True, slots=True)
class DbtCommand:
    """A dbt command, taken apart.

    Attributes:
        parts: What follows `dbt`, in order.
    """

    parts: tuple[CommandPart, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a command as a shell and dbt would.

        Raises:
            ValueError: If its quoting is broken, or it is none of dbt.
        """
        words = shlex.split(text)
        if words[:1] != ["dbt"]:
            raise ValueError(f"{text!r} does not begin with dbt.")
        return cls(tuple(_parts(words[1:])))

    @property
    def verb(self) -> str:
        """What it does: "build", "docs generate"; "" where it names nothing."""
        free = [word for part in self.parts if not part.option for word in part.words]
        return " ".join(free[: 2 if free[:1] and free[0] in _COMMAND_GROUPS else 1])

    def with_selection(self, selectors: Sequence[str]) -> Self:
        """The same command for other nodes: nothing else of it changes.

        Args:
            selectors: What is selected, each as dbt's `--select` takes it.
        """
        kept = tuple(CommandPart(part.option, part.kept) for part in self.parts if part.kept)
        # Only build and test take tests along with a model; older dbt knows the option nowhere else.
        alone = ("--indirect-selection", "empty") if self.verb in {"build", "test"} else ()
        return type(self)((*kept, CommandPart("--select", ("--select", *selectors)), CommandPart("", alone)))

    def __str__(self) -> str:
        return shlex.join(["dbt", *(word for part in self.parts for word in part.words)])


def step_command(step: Step) -> str | None:
    """The dbt command of a run's step, whose name holds it between backticks; None where it has none."""
    found = re.search(r"`(dbt\s.*)`", step.name, re.DOTALL)
    return found[1] if found else None


def subcommand_of(text: str) -> str:
    """What a command does; "" where it cannot be read."""
    try:
        return DbtCommand.parse(text).verb
    except ValueError:
        return ""


def _parts(words: Sequence[str]) -> Iterator[CommandPart]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and word != "--":
            option, joined, _ = word.partition("=")
            yield CommandPart(option, (word, *_values(option, rest, given=bool(joined))))
        elif word.startswith("-") and len(word) > 1:
            yield _short(word, rest)
        else:
            yield CommandPart("", (word,))


def _short(word: str, rest: list[str]) -> CommandPart:
    """Short options in one word: flags, then perhaps one with a value, which may be joined to it."""
    for place, letter in enumerate(word[1:], start=1):
        option = f"-{letter}"
        if option in _SELECTION_OPTIONS | _VALUE_OPTIONS:
            values = _values(option, rest, given=bool(word[place + 1 :]))
            return CommandPart(option, (word, *values), word[:place] if place > 1 else "")
    return CommandPart(word, (word,))


def _values(option: str, rest: list[str], *, given: bool) -> Iterator[str]:
    """Take the values of an option off the words that follow; `given` if one is joined to it already."""
    if rest and not given and option in _SELECTION_OPTIONS | _SINGLE_SELECTION_OPTIONS | _VALUE_OPTIONS:
        yield rest.pop(0)
    while rest and option in _SELECTION_OPTIONS and not rest[0].startswith("-"):
        yield rest.pop(0)
