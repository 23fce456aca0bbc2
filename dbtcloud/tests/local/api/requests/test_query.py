"""Query strings, as dbt Cloud reads them and refuses them."""

import pytest

REFUSED = "The request was invalid. Please double check the provided data and try again."


def refusal(api, path, **params):
    answer = api.ask(path, params=params)
    assert answer.status_code == 400, answer.text
    assert answer.json()["status"]["user_message"] == REFUSED
    return answer.json()["data"]


def test_one_unknown_parameter_is_named(api):
    expected = "Additional properties are not allowed ('cause' was unexpected)"
    assert refusal(api, "runs/", cause="x") == expected


def test_several_unknown_parameters_are_named(api):
    expected = "Additional properties are not allowed ('created_at__gte', 'created_at__lte' were unexpected)"
    assert refusal(api, "runs/", created_at__gte="1", created_at__lte="2") == expected


@pytest.mark.parametrize("path", ["", "jobs/1/", "/api/v3/accounts/1/projects/1/", "/api/v2/accounts/"])
def test_single_objects_take_no_filters(api, path):
    assert "'limit' was unexpected" in refusal(api, path, limit=1)


@pytest.mark.parametrize(
    "value", ["10", "10,20", "[10", "{}", '["10"]', "[true]", "['1']", "[1.5]"], ids=lambda value: value
)
def test_a_list_of_numbers_is_a_json_array_or_refused(api, value):
    data = refusal(api, "runs/", status__in=value)
    assert data == {"status__in": f"{value!r} is not valid under any of the given schemas"}


def test_a_repeated_list_is_refused(api):
    answer = api.ask("runs/?status__in=1&status__in=2")
    assert answer.status_code == 400
    assert "status__in" in answer.json()["data"]


@pytest.mark.parametrize(
    "value", ["a,b", "['2024-01-01','2024-02-01']", "[]", '["2024-01-01"]', '["x","y"]', "[1,2]"]
)
def test_a_range_is_a_json_array_of_two_moments_or_refused(api, value):
    assert "created_at__range" in refusal(api, "runs/", created_at__range=value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("limit", 101, "greater than the maximum of 100"),
        ("limit", 0, "less than the minimum of 1"),
        ("offset", -1, "less than the minimum of 0"),
        ("limit", "many", "not of type 'integer'"),
        ("order_by", "-status", "not valid"),
        ("job_definition_id", "x", "not of type 'integer'"),
        ("state", "gone", "not of type 'integer'"),
    ],
)
def test_a_value_out_of_bounds_is_refused_under_its_name(api, name, value, words):
    assert words in refusal(api, "runs/", **{name: value})[name]


def test_more_than_a_hundred_ids_are_refused(api):
    ids = str(list(range(101)))
    assert "too long" in refusal(api, "runs/", pk__in=ids)["pk__in"]


def test_the_account_may_be_repeated_in_the_query(api):
    assert api.get("runs/", account_id=1) == []


def test_truth_values_are_words(api):
    assert len(api.get("jobs/", is_system="False")) == 6
    assert "not of type 'boolean'" in refusal(api, "jobs/", is_system="0")["is_system"]


@pytest.mark.parametrize(
    "query",
    [
        "include_related=trigger&include_related=job",
        "include_related=trigger,job",
        "include_related=['trigger', 'job']",
        'include_related=["trigger","job"]',
    ],
)
def test_what_to_include_is_read_in_every_form_that_clients_send(api, query):
    run = api.start(api.job())
    shown = api.get(f"runs/{run['id']}/?{query}")
    assert shown["trigger"]["cause"] == "A test"
    assert shown["job"]["name"] == "Simulated"
    assert shown["environment"] is None


@pytest.mark.parametrize("query", ["", "?include_related=", "?include_related=[]"])
def test_what_is_not_included_is_null_or_empty(api, query):
    run = api.start(api.job())
    api.control.advance(20)
    shown = api.get(f"runs/{run['id']}/{query}")
    assert (shown["trigger"], shown["job"], shown["environment"], shown["run_steps"]) == (
        None,
        None,
        None,
        [],
    )


@pytest.mark.parametrize(
    "query", [f"pk__in=[{2**63}]", f"id__gt={10**18}", "name__icontains=%FF", "pk__in=%FF"]
)
def test_values_beyond_reason_break_nothing(api, query):
    assert api.ask(f"runs/?{query}").status_code == 400
