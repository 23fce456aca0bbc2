import pytest

from dbtcloud.core import command_line
from dbtcloud.core.runner_errors import InvalidDbtConfiguration


@pytest.mark.parametrize(
    ("step", "arguments"),
    [
        ("dbt build", ("build",)),
        ("  dbt   run  --select a b ", ("run", "--select", "a", "b")),
        ("""dbt build --vars '{"a": 1}'""", ("build", "--vars", '{"a": 1}')),
        ("dbt --warn-error test", ("--warn-error", "test")),
        ("dbt build --select 'fqn:*'", ("build", "--select", "fqn:*")),
        ('dbt run --select "tag:a tag:b"', ("run", "--select", "tag:a tag:b")),
    ],
)
def test_a_step_is_split_into_arguments_as_a_shell_does(step, arguments):
    assert command_line.parse_command_line(step) == arguments


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("", "it does not begin with 'dbt'"),
        ("rm -rf /", "it does not begin with 'dbt'"),
        ("/usr/bin/dbt build", "it does not begin with 'dbt'"),
        ("dbt", "it has no subcommand"),
        ("dbt run && dbt test", "it contains '&&'"),
        ("dbt ls | wc", "it contains '|'"),
        ("dbt build --vars '{a: 1}", "its quoting is broken"),
    ],
)
def test_another_text_is_refused_with_the_reason_and_what_to_do(step, why):
    with pytest.raises(InvalidDbtConfiguration) as caught:
        command_line.parse_command_line(step)

    assert str(caught.value).startswith(f"The step {step!r} cannot be run: ")
    assert why in str(caught.value)
    assert "Write one dbt command for each step" in str(caught.value)
