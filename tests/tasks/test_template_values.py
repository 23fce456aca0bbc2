"""Arguments after rendering, in every form in which templates and forms hand them over."""

from datetime import timedelta
from pathlib import PurePath
from types import SimpleNamespace

import pytest

from airflow_dbt_cloud.tasks import template_values


def parse_override(name, value):
    """Return the value of an override."""
    return template_values.OVERRIDES[name](template_values.TemplateValue(name, value))


def parse_commands(value):
    """Return the commands of `steps_override`."""
    return parse_override("steps_override", value)


def overrides(config):
    """The overrides of a task that has nothing but `additional_run_config`."""
    arguments = dict.fromkeys(template_values.OVERRIDES)
    return template_values.parse_overrides(SimpleNamespace(**arguments, additional_run_config=config))


@pytest.mark.parametrize("nothing", [None, "", "None"])
@pytest.mark.parametrize("name", template_values.OVERRIDES)
def test_every_override_is_none_for_a_value_that_is_not_given(name, nothing):
    assert parse_override(name, nothing) is None


@pytest.mark.parametrize("value", [20261127, 1.1, True])
@pytest.mark.parametrize("name", ["output_path", "output_conn_id"])
def test_a_location_that_native_rendering_has_changed_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is {value!r}, which is no text"):
        template_values.TemplateValue(name, value).location()


@pytest.mark.parametrize(
    ("value", "read"), [(None, None), ("", None), ("a/b", "a/b"), (PurePath("a"), PurePath("a"))]
)
def test_a_location_is_a_text_or_a_path(value, read):
    assert template_values.TemplateValue("output_path", value).location() == read


@pytest.mark.parametrize("value", [4, "4", " 4 ", "+4"])
def test_whole_numbers_are_read_from_text(value):
    assert template_values.TemplateValue("threads_override", value).integer() == 4


@pytest.mark.parametrize(
    ("value", "read"), [(True, True), ("True", True), ("true", True), ("FALSE", False), (False, False)]
)
def test_booleans_are_parsed_from_their_names_in_any_case(value, read):
    assert parse_override("generate_docs_override", value) is read


@pytest.mark.parametrize(
    "value", [["dbt build"], ("dbt build",), "dbt build", '["dbt build"]', "['dbt build']"]
)
def test_commands_are_read_from_a_list_its_text_or_a_single_one(value):
    assert parse_commands(value) == ["dbt build"]


@pytest.mark.parametrize("value", [[], (), "[]"])
def test_an_empty_list_of_commands_means_the_jobs_own(value):
    assert parse_commands(value) is None


def test_a_command_that_only_begins_like_a_list_stays_a_command():
    assert parse_commands("[not a list") == ["[not a list"]


@pytest.mark.parametrize("value", [90, 90.0, "90", timedelta(minutes=1.5)])
def test_seconds_are_read_from_a_number_its_text_or_a_timedelta(value):
    assert template_values.TemplateValue("timeout", value).seconds() == 90


@pytest.mark.parametrize("value", [None, "soon", -1, timedelta(seconds=-1), True, "nan"])
def test_other_seconds_are_refused(value):
    with pytest.raises(ValueError, match=r"^timeout is .* It has to be a number of seconds or a timedelta"):
        template_values.TemplateValue("timeout", value).seconds()


TEXTS = [
    name
    for name, parse in template_values.OVERRIDES.items()
    if parse in {template_values.TemplateValue.text, template_values.TemplateValue.text_without_underscores}
]


@pytest.mark.parametrize("value", [1.1, 1e59, float("inf"), True, False, ("a", "b"), {"a": 1}, ["a"], 0, -1])
@pytest.mark.parametrize("name", [*TEXTS, "cause"])
def test_what_a_text_may_have_been_turned_into_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is .*no text.*'1\.10'"):
        overrides({name: value})


@pytest.mark.parametrize("name", ["git_sha", "dbt_version_override"])
def test_a_whole_number_is_a_text_where_no_text_has_underscores(name):
    assert parse_override(name, 1234567) == "1234567"


@pytest.mark.parametrize("name", ["git_branch", "schema_override", "target_name_override"])
def test_a_whole_number_is_refused_where_its_text_may_have_had_underscores(name):
    with pytest.raises(ValueError, match=rf"^{name} is 20261127, which is no text"):
        parse_override(name, 20261127)


@pytest.mark.parametrize("nothing", ["", "  ", None, "None"])
def test_commands_that_a_template_left_empty_are_dropped(nothing):
    assert parse_commands([nothing, "dbt build", nothing]) == ["dbt build"]
    assert parse_commands([nothing]) is None
    assert overrides({"steps_override": [nothing]}) == {}


def test_a_command_that_is_no_text_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^steps_override is \['dbt build', 1.1\]. It has to be a list of"):
        parse_commands(["dbt build", 1.1])


def test_a_dict_is_read_from_python_and_from_json():
    assert overrides('{"a": null}') == {"a": None}
    assert overrides("{'a': None}") == {"a": None}


def test_fields_that_are_no_overrides_are_kept_unchanged():
    config = {"field_of_the_future": 7, "other": "None", "threads_override": "2", "git_branch": ""}
    assert overrides(config) == {"field_of_the_future": 7, "other": "None", "threads_override": 2}
