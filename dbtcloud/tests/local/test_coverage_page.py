"""The page that says what is covered agrees with the route table."""

import re

import pytest
from local_coverage import PAGE, Operation, nameless, operations, page, row, served

ROW = re.compile(r"^\| ([A-Z]+) \| `([^`]+)` \| (.+) \|$", re.MULTILINE)


def rows():
    """The page's rows: what they say, by method and path."""
    return {(method, nameless(path)): said for method, path, said in ROW.findall(PAGE.read_text("utf-8"))}


def test_every_route_is_on_the_page_with_what_it_says_of_itself():
    said = {key: text for key, text in rows().items() if text != "501"}
    assert said == {key: ROW.match(row(*key, route))[3] for key, route in served().items()}, (
        "run scripts/local_coverage.py with the published specifications"
    )


def test_the_figures_are_those_of_the_page():
    said = [text for (_, path), text in rows().items() if path.startswith("/api/")]
    beyond = PAGE.read_text("utf-8").partition("## Beyond")[2].count("`/api/")
    published, done, differing, unserved = map(
        int, re.findall(r"\d+", re.search(r"^Of .*", PAGE.read_text("utf-8"), re.MULTILINE)[0])[:4]
    )
    assert (published, unserved) == (len(said) - beyond, said.count("501"))
    assert done == said.count("done")
    assert differing == published - done - unserved


def test_what_the_page_says_is_not_served_answers_501(api):
    for (method, path), said in rows().items():
        if said == "501":
            answer = api.ask(path.replace("{}", "1"), method)
            assert (answer.status_code, answer.json()["status"]["code"]) == (501, 501), (method, path)


@pytest.mark.parametrize(
    ("path", "said"),
    [("/api/v2/accounts/", "differs: Plan and limits are invented."), ("/api/v2/users/{id}/", "501")],
)
def test_a_page_is_made_from_a_specification(path, said):
    known = list(operations({"paths": {path: {"get": {}, "parameters": []}}}))
    assert known == [Operation(nameless(path), "GET", known[0].heading, path)]
    assert f"| GET | `{path}` | {said} |" in page(known)
