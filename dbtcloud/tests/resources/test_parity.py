"""Every public method of the clients is on both faces, with the same signature, and sends the same bytes."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from functools import cached_property
from operator import itemgetter
from typing import Any

import pytest

from dbtcloud import webhooks
from dbtcloud.client.models import Run
from dbtcloud.client.retry import RetryPolicy
from dbtcloud.client.transport.credentials import Credentials
from dbtcloud.errors import RunFailed
from dbtcloud.resources.administrative_client import AdministrativeClient, AsyncAdministrativeClient
from dbtcloud.resources.base.engines import ClientOptions
from dbtcloud.resources.base.pages import AsyncPages, Pages
from dbtcloud.resources.metadata import AsyncMetadataClient, MetadataClient
from dbtcloud.resources.run_result import DbtCloudRunResult
from example_answers import ROW, ExampleAnswers
from example_uses import USES
from wires.raw import RawServer, Received

LIBRARY_HEADERS = {"user-agent", "accept-encoding", "connection"}
"""What either HTTP library sends in its own way."""

MARKER = re.compile(rb"[a-z2-7]{13}(?=\.0\.0\.)")
"""What is random in the cause of a run."""

RETURNS = {
    "Pages": "AsyncPages",
    "Iterator": "AsyncIterator",
    "AbstractContextManager": "AbstractAsyncContextManager",
}


LOCAL = {"client.from_env", "client.from_options", "client.with_options", "webhooks.verify"}
"""Methods that send nothing and are not awaited on either face."""


class Faces:
    """A blocking and an awaited object of each class that has methods of both kinds."""

    def __init__(self, url: str) -> None:
        credentials = Credentials(base_url=url, token="dbtc_a-token-for-tests", account_id="1")
        # The job's schedule is off during run_job_and_poll.
        options = ClientOptions(
            credentials=credentials, retry=RetryPolicy(delay=0), disable_schedule_on_trigger=True
        )
        self.clients = (
            AdministrativeClient.from_options(options),
            AsyncAdministrativeClient.from_options(options),
        )
        self.metadata = MetadataClient(credentials), AsyncMetadataClient(credentials)

    def owners(self, name: str) -> tuple[Any, Any]:
        """The objects with that name, such as "jobs"; they send nothing yet."""
        if name == "client":
            return self.clients
        if name == "metadata":
            return self.metadata
        if name == "result":
            blocking, awaited = (DbtCloudRunResult(each._engine, Run.parse(ROW)) for each in self.clients)
            return blocking, awaited
        blocking, awaited = (getattr(each, name) for each in self.clients)
        return blocking, awaited

    async def close(self) -> None:
        for blocking, awaited in (self.clients, self.metadata):
            blocking.close()
            await awaited.close()


def resource_names() -> list[str]:
    members = inspect.getmembers_static(AdministrativeClient)
    return [name for name, member in members if isinstance(member, cached_property)]


def public_members(kind: type) -> dict[str, object]:
    """The public members of a class that it has from this distribution."""
    own = [each for each in kind.__mro__ if each.__module__.startswith("dbtcloud.")]
    names = {name for each in own for name in vars(each) if not name.startswith("_")}
    return {name: inspect.getattr_static(kind, name) for name in sorted(names)}


def method_names() -> list[str]:
    """The names of all methods, such as "jobs.get", as they are in the classes."""
    faces = Faces("http://127.0.0.1:9")
    return [
        f"{owner}.{name}"
        for owner in ("client", "metadata", "result", *resource_names())
        for name, member in public_members(type(faces.owners(owner)[0])).items()
        if not isinstance(member, property | cached_property)
    ]


NAMES = method_names()


@pytest.fixture(autouse=True)
def _plain_environment(plain_environment: None) -> None:
    """No proxy of this machine."""


def test_every_method_has_a_use_here():
    assert set(NAMES) == {*USES, *LOCAL}


@pytest.mark.parametrize("owner", ["client", "metadata", "result", *resource_names()])
def test_both_faces_have_the_same_members(owner):
    blocking, awaited = Faces("http://127.0.0.1:9").owners(owner)
    assert list(public_members(type(blocking))) == list(public_members(type(awaited)))


def test_both_kinds_of_lists_have_the_same_members():
    assert list(public_members(Pages)) == list(public_members(AsyncPages))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LOCAL and name != "result.report"])
def test_signatures_differ_only_in_what_is_returned(name):
    owner, _, attribute_name = name.partition(".")
    blocking, awaited = (getattr(each, attribute_name) for each in Faces("http://127.0.0.1:9").owners(owner))
    one, other = inspect.signature(blocking), inspect.signature(awaited)
    assert "self" not in one.parameters
    assert list(one.parameters.values()) == list(other.parameters.values())
    returned = str(one.return_annotation)
    kind, _, inner = returned.partition("[")
    expected = f"{RETURNS[kind]}[{inner}" if kind in RETURNS else f"Coroutine[Any, Any, {returned}]"
    if attribute_name == "close":  # an `async def` says what awaiting it returns
        expected = returned
    assert str(other.return_annotation).replace("[Async]", "") == expected
    assert blocking.__name__ == awaited.__name__ == attribute_name
    assert awaited.__qualname__.endswith(f".{attribute_name}")
    assert inspect.getdoc(blocking) == inspect.getdoc(awaited)
    assert inspect.getdoc(blocking)


def test_what_sends_nothing_is_the_same_on_both_faces():
    for name in LOCAL:
        owner, _, attribute_name = name.partition(".")
        blocking, awaited = (
            getattr(each, attribute_name) for each in Faces("http://127.0.0.1:9").owners(owner)
        )
        assert inspect.signature(blocking) == inspect.signature(awaited)
        assert not inspect.iscoroutinefunction(awaited)
        assert inspect.getdoc(blocking)


def test_verify_is_a_plain_function_on_both_faces():
    blocking, awaited = Faces("http://127.0.0.1:9").owners("webhooks")
    assert blocking.verify is awaited.verify is webhooks.verify


def blocking_result(found: Any) -> Any:
    if isinstance(found, AbstractContextManager):
        with found as entered:
            return entered
    return list(found) if isinstance(found, Pages | Iterator) else found


async def awaited_result(found: Any) -> Any:
    if isinstance(found, AbstractAsyncContextManager):
        async with found as entered:
            return entered
    if isinstance(found, AsyncPages | AsyncIterator):
        return [each async for each in found]
    return await found


def as_sent(received: list[Received], *, in_order: bool) -> list[tuple[str, dict[str, str], bytes]]:
    """The requests as they came, without what is random or the HTTP library's."""
    requests = [
        (
            each.line,
            {name: value for name, value in each.headers.items() if name not in LIBRARY_HEADERS},
            MARKER.sub(b"", each.body),
        )
        for each in received
    ]
    return requests if in_order else sorted(requests, key=itemgetter(0))


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def faces(server: RawServer, loop: asyncio.Runner) -> Iterator[Faces]:
    """The clients of all methods. To open a connection takes longer than to use it."""
    faces = Faces(server.url)
    yield faces
    loop.run(faces.close())


@pytest.mark.parametrize("name", list(USES))
def test_both_faces_send_the_same_bytes(server, loop, faces, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    owner, _, attribute_name = name.partition(".")
    if attribute_name == "close":
        faces = Faces(server.url)

    def begin() -> None:
        server.reply, server.received = ExampleAnswers(), []

    def requests() -> list[tuple[str, dict[str, str], bytes]]:
        return as_sent(server.received, in_order=name != "artifacts.download")

    for use in USES[name]:
        blocking, awaited = faces.owners(owner)
        begin()
        with suppress(RunFailed):
            returned = blocking_result(use(blocking, attribute_name))
        expected = requests()
        begin()
        with suppress(RunFailed):
            assert loop.run(awaited_result(use(awaited, attribute_name))) == returned
        assert requests() == expected
        assert bool(expected) is (attribute_name != "close")
