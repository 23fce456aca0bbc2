"""Who sees the pages: a browser that a link with a one-time code has let in, and nobody else."""

import pytest
import requests

from dbtcloud.local.server.in_thread import LocalDbtCloud


@pytest.fixture
def browser():
    with requests.Session() as session:
        yield session


def get(browser, url, **options):
    return browser.get(url, timeout=5, **options)


def test_a_link_opens_the_page_and_lets_the_browser_see_the_others(api, browser):
    run = api.start(api.job())
    opened = get(browser, api.control.page_link(run["href"]))

    assert (opened.status_code, opened.url) == (200, run["href"])
    assert f"run {run['id']}" in opened.text
    assert "Runs" in get(browser, f"{api.server.url}/").text
    (redirect,) = opened.history
    (cookie,) = redirect.headers["Set-Cookie"].split("\n")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert redirect.headers["Cache-Control"] == opened.headers["Cache-Control"] == "no-store"
    assert redirect.headers["Referrer-Policy"] == opened.headers["Referrer-Policy"] == "same-origin"
    assert opened.headers["X-Frame-Options"] == "DENY"


def test_a_link_works_once(api, browser):
    link = api.control.page_link()
    assert get(browser, link).status_code == 200
    assert get(browser, link).status_code == 200, "the browser that has used it is let in"
    with requests.Session() as other:
        assert get(other, link).status_code == 401


def test_asking_for_the_headers_alone_does_not_use_a_link_up(api, browser):
    link = api.control.page_link()
    browser.head(link, timeout=5)
    assert get(browser, link).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/deploy/1/projects/1/runs/1/",
        "/deploy/1/none/",
        "/?code=guessed",
        "/%64eploy/1/projects/1/runs/1/",
    ],
)
def test_without_a_session_a_page_says_how_to_get_a_link(api, browser, path):
    api.start(api.job(name="Secret job"))
    for headers in ({}, {"Authorization": f"Token {api.control.add_token('job_viewer')}"}):
        answer = get(browser, f"{api.server.url}{path}", headers=headers)
        assert answer.status_code == 401
        assert "dbtcloud serve --link" in answer.text
        assert "Secret job" not in answer.text


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Host": "rebound.example:80"}])
def test_a_page_of_another_origin_sees_no_page(api, browser, headers):
    get(browser, api.control.page_link())
    assert get(browser, f"{api.server.url}/", headers=headers).status_code == 403


def test_a_session_is_none_on_another_server(api, browser):
    get(browser, api.control.page_link())
    with LocalDbtCloud() as other:
        # Browsers send a cookie to all ports of a host.
        assert get(browser, f"{other.url}/").status_code == 401
        get(browser, other.control.page_link())
        assert get(browser, f"{other.url}/").status_code == 200
    assert get(browser, f"{api.server.url}/").status_code == 200


def test_the_control_plane_makes_links(api, browser):
    path = api.start(api.job())["href"].removeprefix(api.server.url)
    link = api.ask("/_local/page_link", "POST", json={"page": path}).json()["url"]
    assert get(browser, link).url == f"{api.server.url}{path}"
    assert api.ask("/_local/page_link", "POST").json()["url"].startswith(f"{api.server.url}/?code=")


@pytest.mark.parametrize(
    "document", [{"page": 7}, [], {"page": "https://elsewhere.example/"}, {"page": "/?x"}]
)
def test_a_link_leads_to_a_page_only(api, document):
    answer = api.ask("/_local/page_link", "POST", json=document)
    assert answer.status_code == 400
    assert "Give" in answer.json()["detail"]


def test_old_unused_codes_are_forgotten(api, browser):
    first = api.control.page_link()
    for _ in range(100):
        api.control.page_link()
    assert get(browser, first).status_code == 401
