"""One definition of each method of a resource, with two faces: one returns, the other is awaited.

A definition is a generator of requests (see `client.protocol`), or describes a list. A decorator turns it
into a method whose type depends on the resource: `Jobs[Sync].get(42)` is a `Job`, `Jobs[Async].get(42)` a
coroutine of one. At run time, the engine of the resource decides. Signature and docstring are those of the
definition.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
    closing,
    contextmanager,
)
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, overload

from dbtcloud.client.protocol import Call, T
from dbtcloud.resources.base.engines import AwaitingEngine, BlockingEngine
from dbtcloud.resources.base.pages import AsyncPages, Listing, Pages


class Sync:
    """Marks a resource whose methods return."""


class Async:
    """Marks a resource whose methods are awaited."""


F = TypeVar("F", Sync, Async)
P = ParamSpec("P")
S = TypeVar("S")  # what a blocking method returns
A = TypeVar("A")  # what it returns on an event loop


class Resource(Generic[F]):
    """A part of dbt Cloud's API.

    Args:
        engine: Carries out the calls of its methods.
    """

    def __init__(self, engine: BlockingEngine | AwaitingEngine) -> None:
        self._engine = engine

    @property
    def _account_id(self) -> str:
        return self._engine.options.account_id


Stream: TypeAlias = Generator[Call[Sequence[T]], Sequence[T], None]
"""A generator of calls. The results of each call are its next items, and are sent back to it."""


@dataclass(frozen=True, slots=True)
class Scope(Generic[T]):
    """What a `with` block does before and after. There is one for each block.

    Attributes:
        enter: Makes the call before the block, whose result the block gets.
        leave: Makes the call after the block, with the error that ended it, or None. It is made also if the
            first call failed or was interrupted, and a second time if it is interrupted itself. No
            `time_limit` around the block shortens it.
        seconds: How long the call after the block may take.
    """

    enter: Callable[[], Call[T]]
    leave: Callable[[BaseException | None], Call[None]]
    seconds: float = 60.0


def _nothing(*_: object) -> Call[None]:
    yield from ()


NO_SCOPE: Scope[None] = Scope(_nothing, _nothing)
"""The scope that does nothing."""


@dataclass(frozen=True, slots=True)
class Scoped(Generic[T]):
    """A call within a scope.

    Attributes:
        scope: What is done before and after the call.
        call: The call.
    """

    scope: Scope[Any]
    call: Call[T]


@dataclass(frozen=True, slots=True)
class CallBatch(Generic[T]):
    """Calls that do not depend on each other.

    Attributes:
        plan: Makes the call that returns them.
        result: Makes what the method returns of their results, which are in order.
        stop: Called if they end early, by an error or an interruption, while some of them still run.
    """

    plan: Callable[[], Call[Sequence[Call[Any]]]]
    result: Callable[[list[Any]], T]
    stop: Callable[[], object] = bool


class _Definition(Generic[P, S, A]):
    """A definition that becomes a method: with the arguments P, it returns an S, or an A on an event loop."""

    _result: ClassVar[str]
    """What a definition returns, such as "Call"."""
    _faces: ClassVar[tuple[str, str]]
    """What the method returns on either face, with "{}" for the type between the brackets."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self.__doc__ = make.__doc__
        self.__name__ = make.__name__
        self.__module__ = make.__module__

    @overload
    def __get__(self, at: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, at: Resource[Sync], owner: type[Any] | None = None) -> Callable[P, S]: ...
    @overload
    def __get__(self, at: Resource[Async], owner: type[Any] | None = None) -> Callable[P, A]: ...
    def __get__(self, at: Resource[Any] | None, owner: type[Any] | None = None) -> Any:
        if at is None:
            return self
        engine, make = at._engine, self._make.__get__(at)  # noqa: SLF001 -- this is a method of the resource
        method = (
            self._awaited(engine, make)
            if isinstance(engine, AwaitingEngine)
            else self._blocking(engine, make)
        )
        method.__doc__, method.__name__ = self.__doc__, self.__name__
        method.__qualname__ = f"{type(at).__name__}.{self.__name__}"
        method.__module__ = self.__module__
        method.__signature__ = self._signatures[isinstance(engine, AwaitingEngine)]
        # Kept with the resource, which is asked first: a definition is bound once.
        vars(at)[self.__name__] = method
        return method

    @cached_property
    def _signatures(self) -> tuple[inspect.Signature, inspect.Signature]:
        """The signatures of both faces: without `self`, with what the face returns."""
        whole = inspect.signature(self._make)
        parameters = list(whole.parameters.values())[1:]
        inner = str(whole.return_annotation).removeprefix(f"{self._result}[").removesuffix("]")
        sync, awaited = (
            whole.replace(parameters=parameters, return_annotation=face.format(inner).replace("[F]", kind))
            for face, kind in zip(self._faces, ("", "[Async]"), strict=True)
        )
        return sync, awaited

    def _blocking(self, engine: BlockingEngine, make: Callable[..., Any]) -> Any:
        raise NotImplementedError

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., Any]) -> Any:
        raise NotImplementedError


class operation(_Definition[P, T, Coroutine[Any, Any, T]], Generic[P, T]):  # noqa: N801 -- a decorator
    """Makes a method of a definition that returns a call."""

    _result, _faces = "Call", ("{}", "Coroutine[Any, Any, {}]")

    def __init__(self, make: Callable[Concatenate[Any, P], Call[T]]) -> None:
        super().__init__(make)

    def __call__(self, at: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        """Return the call, for another definition: `yield from Jobs.get(client.jobs, 42)`."""
        call: Call[T] = self._make(at, *args, **kwargs)
        return call

    def _blocking(self, engine: BlockingEngine, make: Callable[..., Call[T]]) -> Any:
        return lambda *args, **kwargs: engine.ask(make(*args, **kwargs))

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., Call[T]]) -> Any:
        async def method(*args: Any, **kwargs: Any) -> T:
            return await engine.ask(make(*args, **kwargs))

        return method


class batch(_Definition[P, T, Coroutine[Any, Any, T]], Generic[P, T]):  # noqa: N801 -- a decorator
    """Makes a method of a definition that returns a batch, whose calls are carried out at the same time."""

    _result, _faces = "CallBatch", ("{}", "Coroutine[Any, Any, {}]")

    def __init__(self, make: Callable[Concatenate[Any, P], CallBatch[T]]) -> None:
        super().__init__(make)

    def _blocking(self, engine: BlockingEngine, make: Callable[..., CallBatch[T]]) -> Any:
        def method(*args: Any, **kwargs: Any) -> T:
            these = make(*args, **kwargs)
            calls = engine.ask(these.plan())
            with closing(engine.ask_each(_same, calls, stop=these.stop)) as results:
                return these.result(list(results))

        return method

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., CallBatch[T]]) -> Any:
        async def method(*args: Any, **kwargs: Any) -> T:
            these = make(*args, **kwargs)
            calls = await engine.ask(these.plan())
            async with aclosing(engine.ask_each(_same, calls)) as results:
                return these.result([result async for result in results])

        return method


def _same(call: Call[T]) -> Call[T]:
    return call


class listing(_Definition[P, Pages[T], AsyncPages[T]], Generic[P, T]):  # noqa: N801 -- a decorator
    """Makes a method of a definition that describes a list."""

    _result, _faces = "Listing", ("Pages[{}]", "AsyncPages[{}]")

    def __init__(self, make: Callable[Concatenate[Any, P], Listing[T]]) -> None:
        super().__init__(make)

    def _blocking(self, engine: BlockingEngine, make: Callable[..., Listing[T]]) -> Any:
        return lambda *args, **kwargs: Pages(make(*args, **kwargs), engine)

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., Listing[T]]) -> Any:
        return lambda *args, **kwargs: AsyncPages(make(*args, **kwargs), engine)


class stream(_Definition[P, Iterator[T], AsyncIterator[T]], Generic[P, T]):  # noqa: N801 -- a decorator
    """Makes a method of a definition that yields calls: an iterator over the results."""

    _result, _faces = "Stream", ("Iterator[{}]", "AsyncIterator[{}]")

    def __init__(self, make: Callable[Concatenate[Any, P], Stream[T]]) -> None:
        super().__init__(make)

    def _blocking(self, engine: BlockingEngine, make: Callable[..., Stream[T]]) -> Any:
        def method(*args: Any, **kwargs: Any) -> Iterator[T]:
            items = None
            with closing(make(*args, **kwargs)) as calls:
                while (call := _next_call(calls, items)) is not None:
                    items = engine.ask(call)
                    yield from items

        return method

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., Stream[T]]) -> Any:
        async def method(*args: Any, **kwargs: Any) -> AsyncIterator[T]:
            items = None
            with closing(make(*args, **kwargs)) as calls:
                while (call := _next_call(calls, items)) is not None:
                    items = await engine.ask(call)
                    for item in items:
                        yield item

        return method


def _next_call(calls: Stream[T], items: Sequence[T] | None) -> Call[Sequence[T]] | None:
    try:
        return next(calls) if items is None else calls.send(items)
    except StopIteration:
        return None


class scope(  # noqa: N801 -- a decorator
    _Definition[P, AbstractContextManager[T, None], AbstractAsyncContextManager[T, None]], Generic[P, T]
):
    """Makes a method of a definition that returns a scope: a context manager."""

    _result = "Scope"
    _faces = ("AbstractContextManager[{}]", "AbstractAsyncContextManager[{}]")

    def __init__(self, make: Callable[Concatenate[Any, P], Scope[T]]) -> None:
        super().__init__(make)

    def __call__(self, at: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Scope[T]:
        """Return the scope, for another definition."""
        block: Scope[T] = self._make(at, *args, **kwargs)
        return block

    def _blocking(self, engine: BlockingEngine, make: Callable[..., Scope[T]]) -> Any:
        return lambda *args, **kwargs: _entered(engine, make(*args, **kwargs))

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., Scope[T]]) -> Any:
        return lambda *args, **kwargs: _entered_on_loop(engine, make(*args, **kwargs))


@contextmanager
def _entered(engine: BlockingEngine, block: Scope[T]) -> Iterator[T]:
    try:
        yield engine.ask(block.enter())
    except BaseException as error:
        engine.ask_to_end(partial(block.leave, error), block.seconds)
        raise
    engine.ask_to_end(partial(block.leave, None), block.seconds)


@asynccontextmanager
async def _entered_on_loop(engine: AwaitingEngine, block: Scope[T]) -> AsyncIterator[T]:
    try:
        yield await engine.ask(block.enter())
    except BaseException as error:
        await engine.ask_to_end(partial(block.leave, error), block.seconds)
        raise
    await engine.ask_to_end(partial(block.leave, None), block.seconds)


class scoped(operation[P, T]):  # noqa: N801 -- a decorator
    """Makes a method of a definition that returns a call within a scope, which always ends with the call."""

    _result = "Scoped"

    def __init__(self, make: Callable[Concatenate[Any, P], Scoped[T]]) -> None:
        _Definition.__init__(self, make)

    def _blocking(self, engine: BlockingEngine, make: Callable[..., Any]) -> Any:
        def method(*args: Any, **kwargs: Any) -> T:
            made: Scoped[T] = make(*args, **kwargs)
            with _entered(engine, made.scope):
                return engine.ask(made.call)

        return method

    def _awaited(self, engine: AwaitingEngine, make: Callable[..., Any]) -> Any:
        async def method(*args: Any, **kwargs: Any) -> T:
            made: Scoped[T] = make(*args, **kwargs)
            async with _entered_on_loop(engine, made.scope):
                return await engine.ask(made.call)

        return method


class attribute(Generic[T]):  # noqa: N801 -- a decorator
    """Makes an attribute of a definition without arguments. It is read, or awaited, when it is asked for."""

    def __init__(self, make: Callable[[Any], Call[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, at: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, at: Resource[Sync], owner: type[Any] | None = None) -> T: ...
    @overload
    def __get__(self, at: Resource[Async], owner: type[Any] | None = None) -> Coroutine[Any, Any, T]: ...
    def __get__(self, at: Resource[Any] | None, owner: type[Any] | None = None) -> Any:
        return self if at is None else at._engine.ask(self._make(at))  # noqa: SLF001 -- as a method would
