"""Credentials within addresses, such as ``https://user:token@host``: used, and never shown."""

import re

_CREDENTIALS = re.compile(r"""(?<=://)[^/\s"]+@""")


def masked(text: str) -> str:
    """Return the text with the credentials of every address in it put out of sight."""
    return _CREDENTIALS.sub("***@", text)
