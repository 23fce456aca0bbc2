"""Parses a command such as `dbt build --select orders` as dbt does, and replaces its selection.

dbt documents its command line under "Command line options and flags". An option for selection takes every
word up to the next option.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

# Options for selection, with all the words up to the next option as values.
_SELECTION_OPTIONS = frozenset(
    {"--select", "-s", "--models", "--model", "-m", "--exclude"}
    | {"--resource-type", "--resource-types", "--exclude-resource-type", "--exclude-resource-types"}
)

# Options for selection with one value.
_SINGLE_SELECTION_OPTIONS = frozenset({"--selector", "--indirect-selection"})

# Other options with one value. The value may begin with a dash: it is still no option.
_VALUE_OPTIONS = frozenset(
    {"--add-package", "--args", "--defer-state", "--event-time-end", "--event-time-start", "--host"}
    | {"--inline", "--inline-direct", "--limit", "--log-file-max-bytes", "--log-format", "--log-format-file"}
    | {"--log-level", "--log-level-file", "--log-path", "--output", "--partial-parse-file-path", "--port"}
    | {"--printer-width", "--profile", "--profiles-dir", "--project-dir", "--record-timing-info", "--sample"}
    | {"--source", "--sqlparse", "--state", "--target", "--target-path", "--threads", "--vars"}
    | {"--warn-error-options", "-o", "-r", "-t"}
)

_TIME = "%Y-%m-%dT%H:%M:%S"  # one of the formats of dbt's event times
_EVENT_TIMES = frozenset({"--event-time-start", "--event-time-end"})
_FULL_REFRESH = ("--full-refresh", "f")  # dbt's option and its letter

# Commands with a subcommand of their own, such as `docs generate`.
_COMMAND_GROUPS = ("docs", "source")


@dataclass(frozen=True, slots=True)
class _Part:
    """One option with its values, or a word that belongs to no option.

    Attributes:
        option: The option's name, such as "--select", or "" for a word that belongs to none.
        words: The words as they were written.
        flags: Flags written in front of a short option in the same word: "-x" of "-xs".
    """

    option: str
    words: tuple[str, ...]
    flags: str = ""

    @property
    def selects(self) -> bool:
        """Whether the option is one for selection."""
        return self.option in _SELECTION_OPTIONS | _SINGLE_SELECTION_OPTIONS

    @property
    def without_selection(self) -> tuple[str, ...]:
        """The words that remain when the selection is removed."""
        if not self.selects:
            return self.words
        return (self.flags,) if self.flags else ()

    def has_flag(self, option: str, letter: str) -> bool:
        """Return whether a flag is set, by its name or by its letter among those of a short option."""
        return self.option == option or letter in self._letters

    def without_flag(self, option: str, letter: str) -> Self:
        """Return the part without a flag."""
        if self.option == option:
            return type(self)("", ())
        letters = self._letters
        if letter not in letters:
            return self
        first, kept = self.words[0], letters.replace(letter, "")
        word = f"-{kept}{first[1 + len(letters) :]}"
        words = (word, *self.words[1:]) if len(word) > 1 else self.words[1:]
        return type(self)(self.option, words, f"-{kept}" if kept and self.flags else "")

    @property
    def _letters(self) -> str:
        """The letters of the flags in a word of short options."""
        is_short = self.option.startswith("-") and not self.option.startswith("--")
        is_only_flags = is_short and (self.option,) == self.words and self.option not in _VALUE_OPTIONS
        return self.option[1:] if is_only_flags else self.flags[1:]


@dataclass(frozen=True, slots=True)
class DbtCommand:
    """A parsed dbt command.

    Attributes:
        parts: The options and words after `dbt`, in order.
    """

    parts: tuple[_Part, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a command as a shell and dbt would.

        Raises:
            ValueError: If its quotes do not match, or it does not begin with `dbt`.
        """
        words = shlex.split(text)
        if words[:1] != ["dbt"]:
            raise ValueError(f"{text!r} does not begin with dbt.")
        return cls(tuple(_parts(words[1:])))

    @classmethod
    def subcommand_of(cls, text: str) -> str:
        """Return the subcommand of a command, or "" if it has none or cannot be parsed."""
        try:
            return cls.parse(text).subcommand
        except ValueError:
            return ""

    @property
    def subcommand(self) -> str:
        """The subcommand, such as "build" or "docs generate", or "" if there is none."""
        free = [word for part in self.parts if not part.option for word in part.words]
        return " ".join(free[: 2 if free[:1] and free[0] in _COMMAND_GROUPS else 1])

    @property
    def full_refresh(self) -> bool:
        """Whether it builds incremental models from their beginning."""
        return any(part.has_flag(*_FULL_REFRESH) for part in self.parts)

    @property
    def limits_time(self) -> bool:
        """Whether it sets the range of time that microbatch models build, or takes a sample of it."""
        return any(part.option in _EVENT_TIMES | {"--sample"} for part in self.parts)

    @property
    def samples(self) -> bool:
        """Whether it takes a sample, so that dbt ignores event times."""
        return any(part.option == "--sample" for part in self.parts)

    def with_event_times(self, start: datetime, end: datetime) -> Self:
        """Return the command for the batches of a range of time, with everything else unchanged.

        Args:
            start: Where the range starts, in UTC.
            end: Where it ends, in UTC.
        """
        times = ("--event-time-start", f"{start:{_TIME}}", "--event-time-end", f"{end:{_TIME}}")
        kept = (part for part in self.parts if part.option not in _EVENT_TIMES)
        return type(self)((*kept, _Part("", times)))

    def without_full_refresh(self) -> Self:
        """Return the command without `--full-refresh`, which would replace the tables."""
        parts = (part.without_flag(*_FULL_REFRESH) for part in self.parts)
        return type(self)(tuple(part for part in parts if part.words))

    def with_selection(self, selections: Sequence[str]) -> Self:
        """Return the command with another selection and everything else unchanged.

        Args:
            selections: Values of dbt's `--select`.
        """
        kept = (_Part(part.option, part.without_selection) for part in self.parts)
        # Only build and test select tests along with a model; older dbt has the option for no other command.
        empty = ("--indirect-selection", "empty") if self.subcommand in {"build", "test"} else ()
        select = _Part("--select", ("--select", *selections))
        return type(self)((*(part for part in kept if part.words), select, _Part("", empty)))

    def __str__(self) -> str:
        return shlex.join(["dbt", *(word for part in self.parts for word in part.words)])


def _parts(words: Sequence[str]) -> Iterator[_Part]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and word != "--":
            option, joined, _ = word.partition("=")
            yield _Part(option, (word, *_take_values(option, rest, has_value=bool(joined))))
        elif word.startswith("-") and len(word) > 1:
            yield _short_options(word, rest)
        else:
            yield _Part("", (word,))


def _short_options(word: str, rest: list[str]) -> _Part:
    """Parse a word of short options: flags, then perhaps an option with a value, in the same word or not."""
    for place, letter in enumerate(word[1:], start=1):
        option = f"-{letter}"
        if option in _SELECTION_OPTIONS | _VALUE_OPTIONS:
            values = _take_values(option, rest, has_value=bool(word[place + 1 :]))
            return _Part(option, (word, *values), word[:place] if place > 1 else "")
    return _Part(word, (word,))


def _take_values(option: str, rest: list[str], *, has_value: bool) -> Iterator[str]:
    """Take an option's values from the words that follow.

    `has_value` says that the option's own word has a value already, as in `--select=orders`.
    """
    if rest and not has_value and option in _SELECTION_OPTIONS | _SINGLE_SELECTION_OPTIONS | _VALUE_OPTIONS:
        yield rest.pop(0)
    while rest and option in _SELECTION_OPTIONS and not rest[0].startswith("-"):
        yield rest.pop(0)
