"""Pages and filters."""

import pytest

from shop_artifacts import ORDERS, RAW, STAGED, UNIQUE, good, manifest, result, results, table

PAGE = (
    "edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount"
)


@pytest.fixture
def wide(shop):
    names = [f"model.shop.m{place}" for place in range(5)]
    nodes = {"nodes": {name: table(name.split(".")[2]) for name in names}}
    shop.ran(manifest=nodes, run_results=results(*map(result, names)))
    return shop


def read(shop, arguments):
    return shop.applied(f"models({arguments}) {{ {PAGE} }}")["models"]


def named(page):
    return [edge["node"]["name"] for edge in page["edges"]]


def test_pages_follow_one_another_by_the_end_cursor(wide):
    first = read(wide, "first: 2")
    assert (named(first), first["totalCount"]) == (["m0", "m1"], 5)
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert first["pageInfo"]["endCursor"] == first["edges"][-1]["cursor"]
    last = read(wide, f'first: 3, after: "{first["pageInfo"]["endCursor"]}"')
    assert named(last) == ["m2", "m3", "m4"]
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)


def test_an_empty_cursor_begins_at_the_beginning(wide):
    assert named(read(wide, 'first: 1, after: ""')) == ["m0"]
    assert named(read(wide, "first: 0")) == []


def test_after_the_last_there_is_nothing(wide):
    cursor = read(wide, "first: 5")["pageInfo"]["endCursor"]
    page = read(wide, f'after: "{cursor}"')
    assert (page["edges"], page["pageInfo"]["endCursor"]) == ([], None)


def test_a_cursor_outlives_the_node_that_it_points_at(wide):
    cursor = read(wide, "first: 2")["pageInfo"]["endCursor"]
    nodes = {"nodes": {f"model.shop.m{place}": table(f"m{place}") for place in (0, 2, 3, 4)}}
    wide.ran(30, manifest=nodes, run_results=results(result("model.shop.m0")))
    assert named(read(wide, f'first: 2, after: "{cursor}"')) == ["m2", "m3"]


@pytest.mark.parametrize("first", [-1, 501])
def test_a_page_holds_five_hundred_at_the_most(wide, first):
    answer = wide.post(
        f"{{ environment(id: 1) {{ applied {{ models(first: {first}) {{ totalCount }} }} }} }}"
    ).json()
    assert f"'first' is {first}, but a page has 0 to 500" in answer["errors"][0]["message"]
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_what_is_no_cursor_is_refused(wide):
    answer = wide.post('{ environment(id: 1) { applied { models(after: "nö") { totalCount } } } }').json()
    assert "which is not a cursor" in answer["errors"][0]["message"]


def test_a_jobs_lists_are_whole_unless_a_page_is_asked_for(wide):
    assert len(wide.run("models { name }")["models"]) == 5
    page = wide.run("models(first: 2) { name paginationCursor }")["models"]
    after = page[-1]["paginationCursor"]
    assert wide.run(f'models(first: 2, after: "{after}") {{ name }}')["models"] == [
        {"name": "m2"},
        {"name": "m3"},
    ]
    refused = wide.post(f"{{ job(id: {wide.job_id}) {{ models(first: 101) {{ name }} }} }}").json()
    assert "0 to 100" in refused["errors"][0]["message"]


FILTERS = {
    "models": {
        f'{{uniqueIds: ["{ORDERS}"]}}': [ORDERS],
        f'{{uniqueIds: "{STAGED}"}}': [STAGED],
        '{identifier: "orders"}': [ORDERS],
        '{database: "shop", schema: "prod"}': [ORDERS, STAGED],
        '{schema: "raw"}': [],
        '{tags: ["nightly", "other"]}': [ORDERS],
        "{access: public}": [ORDERS],
        '{modelingLayer: "marts"}': [ORDERS],
        '{packageName: "shop"}': [ORDERS, STAGED],
        "{lastRunStatus: error}": [STAGED],
        "{lastRunStatus: success}": [ORDERS],
        "{tags: null}": [ORDERS, STAGED],
        "{}": [ORDERS, STAGED],
    },
    "tests": {'{status: "pass"}': [UNIQUE], '{status: "fail"}': [], "{testTypes: [UNIT_TEST]}": []},
    "sources": {
        '{sourceNames: ["raw"]}': [RAW],
        "{freshnessChecked: true}": [],
        "{freshnessStatus: Unknown}": [RAW],
        '{identifier: "orders", database: "shop"}': [RAW],
    },
}


@pytest.mark.parametrize(("kind", "wanted"), [(kind, wanted) for kind in FILTERS for wanted in FILTERS[kind]])
def test_a_filter_leaves_what_meets_all_of_it(shop, kind, wanted):
    shop.built(90)
    shop.ran(60, manifest=manifest(), run_results=results(result(STAGED, "error")))
    assert [node["uniqueId"] for node in shop.nodes("uniqueId", kind, filter=wanted)] == FILTERS[kind][wanted]


def test_models_are_sorted_by_when_they_were_executed(shop):
    early = {"name": "execute", "completed_at": "2026-01-01T00:00:00Z", "started_at": None}
    shop.ran(manifest=manifest(), run_results=results(result(ORDERS), result(STAGED, timing=[early])))

    def order(field, direction):
        return [
            node["name"] for node in shop.nodes("name", sort=f"{{field: {field}, direction: {direction}}}")
        ]

    assert order("executeCompletedAt", "asc") == ["stg_orders", "orders"]
    assert order("executeCompletedAt", "desc") == ["orders", "stg_orders"]
    assert order("uniqueId", "desc") == ["stg_orders", "orders"]
    assert order("queryUsageCount", "desc") == ["orders", "stg_orders"]


def test_of_a_jobs_run_one_node_can_be_asked_for(shop):
    shop.ran(manifest=manifest(), run_results=good())
    model, test = f'model(uniqueId: "{ORDERS}") {{ name }}', 'test(uniqueId: "no") { name }'
    found = shop.run(f'{model} {test} exposure(name: "report") {{ name }}')
    assert found == {"model": {"name": "orders"}, "test": None, "exposure": {"name": "report"}}
    assert shop.run('models(schema: "raw") { name }')["models"] == []
