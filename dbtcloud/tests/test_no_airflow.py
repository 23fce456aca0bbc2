from importlib.util import find_spec


def test_airflow_cannot_be_imported_here():
    assert find_spec("airflow") is None
