"""Every exception of this distribution survives pickle, as Airflow, multiprocessing and others need it."""

import copy
import pickle

import pytest

import dbtcloud
from made_errors import exceptions_of, made


def pickled(error):
    return pickle.loads(pickle.dumps(error))


@pytest.mark.parametrize("again", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", exceptions_of(dbtcloud))
def test_an_exception_keeps_type_text_and_attributes(kind, again):
    error = made(kind)
    copied = again(error)
    assert (type(copied), str(copied), copied.args) == (kind, str(error), error.args)
    assert str(error)
    assert vars(copied) == vars(error)
