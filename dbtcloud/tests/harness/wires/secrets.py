"""Everything that an error tells anybody, to be searched for secrets."""

import traceback
from collections.abc import Iterator


def told(error: BaseException) -> str:
    """Message, repr and the whole traceback of an error and of those beneath it."""
    chain = list(_chain(error))
    words = [text for each in chain for text in (str(each), repr(each), repr(each.args))]
    return "\n".join([*words, *traceback.format_exception(error)])


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
