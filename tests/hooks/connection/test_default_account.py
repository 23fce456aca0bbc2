"""The connection's account is filled in where a call names none."""

import pytest

from airflow_dbt_cloud.hooks.dbt import fallback_to_default_account, provide_account_id


class Hook:
    def __init__(self):
        self.asked = 0

    def _resolve_account_id(self):
        self.asked += 1
        return 7

    async def _resolve_account_id_async(self):
        return self._resolve_account_id()

    @fallback_to_default_account
    def verb(self, thing, account_id=None, *, flag=False):
        """Says what it was given."""
        return thing, account_id, flag

    @provide_account_id
    async def coroutine(self, thing, account_id=None):
        return thing, account_id


@pytest.mark.parametrize(
    ("args", "kwargs", "account"),
    [
        (("x",), {}, 7),
        (("x", None), {}, 7),
        (("x",), {"account_id": None}, 7),
        ((), {"thing": "x"}, 7),
        (("x", 5), {}, 5),
        (("x",), {"account_id": "5"}, "5"),
    ],
)
async def test_an_account_is_filled_in_where_none_is_named(args, kwargs, account):
    hook = Hook()
    assert hook.verb(*args, **kwargs) == ("x", account, False)
    assert await hook.coroutine(*args, **kwargs) == ("x", account)
    assert hook.asked == (2 if account == 7 else 0)


def test_a_decorated_verb_keeps_its_name_words_and_keywords():
    assert (Hook.verb.__name__, Hook.verb.__doc__) == ("verb", "Says what it was given.")
    assert Hook().verb("x", flag=True) == ("x", 7, True)
    with pytest.raises(TypeError, match="wrong"):
        Hook().verb("x", wrong=1)
