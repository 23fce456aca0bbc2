"""A message is shortened so that its cause remains."""

import pytest

from dbtcloud.report.shortened_text import one_line, shorten

FRAMES = "\n".join(
    f'    File "/lib/python3.11/module_{n}.py", line {n}, in call\n      call()' for n in range(40)
)
MODEL = f"""Runtime Error in model frame (models/frame.py)
  Python model failed:
  Traceback (most recent call last):
{FRAMES}
  ModuleNotFoundError: No module named 'numpy'
  """


def test_the_exception_behind_a_traceback_remains():
    assert one_line(MODEL) == (
        "Runtime Error in model frame (models/frame.py) Python model failed: "
        "Traceback (most recent call last): … ModuleNotFoundError: No module named 'numpy'"
    )


def test_each_exception_of_a_chain_remains():
    chain = (
        f"{MODEL}\n  During handling of the above exception, another exception occurred:\n\n"
        + MODEL.replace("ModuleNotFoundError: No module named 'numpy'", "ImportError: Install pandas first")
    )
    assert "No module named 'numpy'" in one_line(chain, 500)
    assert one_line(chain).endswith("ImportError: Install pandas first")


@pytest.mark.parametrize(
    "frames",
    ["File <command-1>:3, in model\n----> 3 boom()\n" * 40, "File a.py, line 3, in model " * 40],
    ids=["not indented", "on one line"],
)
def test_the_end_remains_where_frames_cannot_be_told_from_the_exception(frames):
    text = f"Python model failed: Traceback (most recent call last)\n{frames}\nAnalysisException: no orders"
    assert one_line(text).endswith("AnalysisException: no orders")
    assert one_line(text).startswith("Python model failed: ")


def test_other_long_messages_keep_their_beginning_and_their_end():
    text = f"Database Error: no column amount {'x' * 5_000} called by model orders"
    shortened = shorten(text)
    assert len(shortened) <= 300
    assert shortened.startswith("Database Error: no column amount xxx")
    assert shortened.endswith("xxx called by model orders")


@pytest.mark.parametrize("limit", range(10, 60))
def test_no_text_is_longer_than_the_limit(limit):
    for text in (MODEL, "x" * 1_000, "a b " * 300):
        assert len(one_line(text, limit)) <= limit
        assert len(shorten(text, limit)) <= limit
    assert shorten("short") == "short"
