"""A session of requests whose answers are bounded in time and size, and whose gzip bodies are complete."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests

from dbtcloud.client.errors import DbtCloudError
from dbtcloud.client.protocol import ANY_FILE
from dbtcloud.client.transport.bounded_adapter import BoundedAdapter
from dbtcloud.client.transport.content_encoding import BodyEncoding, BodyLimit, GzipDecoder, GzipError
from dbtcloud.client.transport.network_settings import Transport


def new_session(transport: Transport) -> requests.Session:
    """Return a session with the settings of `transport`. It keeps no cookies.

    Reading an incomplete gzip body raises `requests.exceptions.ContentDecodingError`. Reading a body that is
    too large raises the client's error.
    """
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter())
    session.hooks["response"].append(partial(_check_body, transport))
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # Only `Transport` reads the environment. requests would prefer certificates of the
    # environment to those of the transport, and entries of ~/.netrc to the token.
    session.trust_env = False
    session.verify = transport.ca_certificates()
    session.cert = transport.client_certificate()
    return session


def _check_body(
    transport: Transport, response: requests.Response, *, stream: bool = False, **_: object
) -> requests.Response:
    """Make requests notice a body that is incomplete or too large. This is a response hook of requests."""
    request = response.request
    limit = transport.body_limit(is_file=stream or request.headers.get("Accept") == ANY_FILE)
    must_be_whole = response.status_code == 200 and request.method != "HEAD"
    is_gzip = BodyEncoding(response.headers).is_gzip
    response.raw = _CheckedBody(response.raw, limit, is_gzip=is_gzip, must_be_whole=must_be_whole)
    return response


class _CheckedBody:
    """A response of urllib3, for requests to read, whose body is decompressed and limited here.

    Args:
        raw: The response of urllib3.
        limit: The limits of its size.
        is_gzip: Whether it is gzip.
        must_be_whole: Whether a body that is incomplete or too large is an error. That of an error response
            is not: its status counts, whatever can be read of the body.
    """

    def __init__(self, raw: Any, limit: BodyLimit, *, is_gzip: bool, must_be_whole: bool) -> None:
        self._raw, self._limit, self._is_gzip, self._must_be_whole = raw, limit, is_gzip, must_be_whole

    def stream(self, amount: int, decode_content: bool = True) -> Iterator[bytes]:
        """Read the body in chunks.

        Raises:
            urllib3.exceptions.DecodeError: If the body is incomplete and must be whole.
            urllib3.exceptions.HTTPError: If the connection fails.
            DbtCloudError: If the body is too large and must be whole.
        """
        from urllib3.exceptions import DecodeError

        chunks: Iterator[bytes] = self._raw.stream(amount, decode_content=False)
        try:
            if self._is_gzip and decode_content:
                yield from GzipDecoder.decompress(chunks, self._limit)
            else:
                yield from map(self._limit.add, chunks)
        except GzipError as error:
            self._raw.close()
            if self._must_be_whole:
                raise DecodeError(str(error)) from error
        except DbtCloudError:
            self._raw.close()
            if self._must_be_whole:
                raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
