"""All exceptions of a package, found by their classes, each made with a value for every argument."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

# By the beginning of an argument's annotation, the first that fits.
VALUES = {
    "int": 7,
    "float": 2.5,
    "bool": True,
    "list": [{"message": "words"}],
    "Sequence[Mapping": [{"id": 7, "message": "words"}],
    "_Rows": [{"id": 7, "message": "words"}],
    "Sequence": ["words"],
}


def exceptions_of(package: ModuleType) -> list[type[BaseException]]:
    """The classes of exceptions that a package defines in any of its modules."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = {
        each
        for each in _subclasses(BaseException)
        if f"{each.__module__}.".startswith(f"{package.__name__}.")
    }
    return sorted(found, key=lambda each: each.__qualname__)


def made(kind: type[BaseException]) -> BaseException:
    """An instance with a note."""
    arguments, keywords = [], {}
    # Those without a constructor of their own take a message.
    own = inspect.isfunction(kind.__init__)
    parameters = list(inspect.signature(kind.__init__).parameters.items())[1:] if own else []
    for name, parameter in parameters:
        value = "manifest" if name == "kind" else _value(str(parameter.annotation))
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[name] = value
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            arguments.append(value)
    error = kind(*arguments, **keywords) if own else kind("What happened.")
    error.add_note("A note")
    return error


def _subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for each in kind.__subclasses__():
        yield from (each, *_subclasses(each))


def _value(annotation: str) -> object:
    return next((value for begin, value in VALUES.items() if annotation.startswith(begin)), "words")
