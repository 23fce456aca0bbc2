"""Tables and verdicts, as the benchmarks print them."""

import os
from collections.abc import Iterable, Sequence


def header(*names: str) -> str:
    """The first two lines of a table."""
    return f"{row(names)}\n{row('---' for _ in names)}"


def row(cells: Iterable[object]) -> str:
    """One line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def number(value: float, digits: int = 1) -> str:
    """A number as it is shown."""
    return f"{value:,.{digits}f}"


def load() -> str:
    """What else the machine does: figures of a busy one are worth less."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def judged(limits: Sequence[tuple[str, float, float]]) -> int:
    """Print for each limit (what, measured, the most it may be) whether it is kept; 1 if one is not."""
    for what, measured, most in limits:
        verdict = "kept" if measured <= most else "MISSED"
        print(f"{what}: {measured:,.2f}, limit {most:,g}: {verdict}")
    return int(any(not measured <= most for _, measured, most in limits))
