"""Passwords in addresses are used, but never shown."""

from pathlib import Path

import pytest

from dbtcloud.core.git import Repository
from dbtcloud.core.process import mask_url_passwords
from dbtcloud.core.source import ProjectSource

ADDRESS = "https://me:hush@example.com/shop.git"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"cannot read {ADDRESS}", "cannot read https://***@example.com/shop.git"),
        ("https://me:hu@sh@example.com/", "https://***@example.com/"),
        ('"http://example.com","me@home"', '"http://example.com","me@home"'),
    ],
)
def test_the_password_is_masked_and_nothing_else(text, shown):
    assert mask_url_passwords(text) == shown


@pytest.mark.parametrize("thing", [ProjectSource(url=ADDRESS), Repository(ADDRESS, Path("store"))])
def test_the_text_of_a_source_does_not_show_its_password(thing):
    assert "hush" not in repr(thing)
    assert "hush" not in str(thing)
