"""Parts of HTML pages, whose texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def html_link(text: str, href: str | None) -> str:
    """Return a text, as a link if it has an address that a browser may open."""
    if href is None or not href.startswith(("https://", "http://")):
        return escape(text)
    return f'<a href="{escape(href)}">{escape(text)}</a>'


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
