"""Runs are found in incomplete lists and whatever dbt Cloud's clock shows, and a doubt is never hidden."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from dbtcloud.client.run_search import RunSearch
from wires.raw import answer, envelope

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
MINE = {"cause": "mine"}


def row(run_id, *, age=0.0, **fields):
    """A row of the list; its age in seconds."""
    created = (NOW - timedelta(seconds=age)).isoformat(sep=" ")
    return {"id": run_id, "status": 3, "created_at": created, "trigger": MINE, **fields}


def without(field, **made):
    return {name: value for name, value in row(**made).items() if name != field}


class Listing:
    """A dbt Cloud whose list shows `rows`, and whose runs are `single` by their ids."""

    def __init__(self, server, rows, single=None, *, total=None, page_size=100, date=None, paged=True):
        self.rows, self.single, self.server = rows, single or {}, server
        self.total, self.page_size, self.paged = total, page_size, paged
        self.headers = {"Date": format_datetime(date)} if date else {}
        server.reply = self.reply

    def reply(self, request):
        url = urlsplit(request.target)
        if not url.path.endswith("/runs/"):
            run = self.single.get(int(url.path.rstrip("/").split("/")[-1]))
            return answer(envelope(run), 200 if run else 404, self.headers)
        offset = int(parse_qs(url.query)["offset"][0]) if self.paged else 0
        page = self.rows[offset : offset + self.page_size]
        total = len(self.rows) if self.total is None else self.total
        return answer(envelope(page, total=total if total >= 0 else None), 200, self.headers)

    @property
    def requests(self):
        return len(self.server.received)


def is_mine(run):
    return None if run.cause is None else run.cause.lower() == "mine"


@pytest.fixture
def search(engine, access, raw_server):
    def find(is_wanted=is_mine, **bounds):
        found = engine.ask(access(raw_server.url), RunSearch(1, 5, is_wanted, **bounds).find())
        return [run.id for run in found], found.doubts

    return find


HOUR = timedelta(hours=1)
OTHERS = {"trigger": {"cause": "by hand"}}


def test_one_page_takes_one_request(search, raw_server):
    listing = Listing(raw_server, [row(2, **OTHERS), row(1)])
    assert search(age=HOUR) == ([1], [])
    assert listing.requests == 1


@pytest.mark.parametrize("hours", [-30 * 24, -6, 0, 6, 30 * 24])
def test_no_clock_hides_a_run_behind_newer_ones(search, raw_server, hours):
    """The run that is searched for is the oldest of 250; it was created 50 minutes before the search."""
    skewed = [row(1000 - n, age=n * 12 - hours * 3600, **OTHERS) for n in range(249)]
    listing = Listing(raw_server, [*skewed, row(1, age=3000 - hours * 3600)], date=NOW)
    assert search(age=HOUR) == ([1], [])
    assert listing.requests == 3


def test_a_search_ends_where_runs_are_too_old(search, raw_server):
    listing = Listing(raw_server, [row(1000 - n, age=n * 600, **OTHERS) for n in range(250)])
    assert search(age=HOUR) == ([], [])
    assert listing.requests == 1


def test_a_search_after_a_run_ends_there(search, raw_server):
    listing = Listing(raw_server, [row(1000 - n, **OTHERS) for n in range(400)])
    assert search(after=850) == ([], [])
    assert listing.requests == 2


CREATED = {
    "without an offset": {"created_at": "2026-11-27 22:00:00"},
    "a date": {"created_at": "2026-11-27"},
    "null": {"created_at": None},
    "a number": {"created_at": 1764280800},
    "of RFC 2822": {"created_at": "Fri, 27 Nov 2026 22:00:00 GMT"},
}


@pytest.mark.parametrize("fields", CREATED.values(), ids=CREATED)
def test_a_run_is_found_whatever_its_time_looks_like(search, raw_server, fields):
    Listing(raw_server, [*(row(1000 - n, **OTHERS, **fields) for n in range(150)), row(1, **fields)])
    assert search(age=HOUR) == ([1], [])


HIDDEN = {
    "no trigger": without("trigger", run_id=7),
    "null": row(7, trigger=None),
    "no cause": row(7, trigger={}),
    "a text": row(7, trigger="mine"),
    "a number": row(7, trigger={"cause": 1}),
    "no status": without("status", run_id=7),
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_run_that_the_list_does_not_show_clearly_is_read_by_itself(search, raw_server, hidden):
    listing = Listing(raw_server, [row(8, **OTHERS), hidden], {7: row(7)})
    assert search(age=HOUR) == ([7], [])
    listing.single = {7: row(7, **OTHERS)}
    assert search(age=HOUR) == ([], [])


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("read", [True, False], ids=["still hidden", "not there"])
def test_a_run_that_stays_unclear_is_a_doubt(search, raw_server, hidden, read):
    Listing(raw_server, [row(8), hidden], {7: hidden} if read else {})
    assert search(age=HOUR) == ([8], ["dbt Cloud does not show what started run 7"])


def test_another_run_in_the_answer_about_one_is_a_doubt(search, raw_server):
    Listing(raw_server, [HIDDEN["null"]], {7: row(9)})
    assert search(age=HOUR) == ([], ["dbt Cloud does not show what started run 7"])


@pytest.mark.parametrize("bad", ["a text", ["a list"], {"status": 3}, {"id": [1], "status": 3}, None])
def test_a_row_that_cannot_be_read_is_a_doubt(search, raw_server, bad):
    Listing(raw_server, [row(8), bad])
    assert search(age=HOUR) == ([8], ["the list of runs has a row that cannot be read"])


def test_an_unclear_run_from_before_the_start_is_no_doubt(search, raw_server):
    """By dbt Cloud's clock: the newest run is a day old, and the `Date` header says so."""
    Listing(raw_server, [row(7, age=90_000, trigger=None)], date=NOW)
    assert search(age=HOUR) == ([], [])
    assert search(after=7) == ([], [])


def test_an_unclear_run_that_is_much_older_than_the_newest_is_no_doubt(search, raw_server):
    Listing(raw_server, [row(8, **OTHERS), row(7, age=90_000, trigger=None)])
    assert search(age=HOUR) == ([], [])


def test_not_more_than_twenty_runs_are_read_by_themselves(search, raw_server):
    listing = Listing(raw_server, [row(n, trigger=None) for n in range(60, 0, -1)])
    _, doubts = search(age=HOUR)
    assert listing.requests == 21
    assert doubts[-1] == "dbt Cloud does not show what started 40 more runs"


def test_a_run_that_turns_out_to_be_somebody_elses_is_read_once(engine, access, raw_server):
    listing = Listing(raw_server, [HIDDEN["null"]], {7: row(7, **OTHERS)})
    search = RunSearch(1, 5, is_mine, age=HOUR)
    for _ in range(3):
        engine.ask(access(raw_server.url), search.find())
    assert listing.requests == 4


LYING = {
    "fewer rows than it says": ({"total": 5}, ([2], ["the list of runs shows 2 of 5 rows"])),
    "no end": ({"total": 10**9, "paged": False}, ([2], [f"the list of runs shows 2 of {10**9} rows"])),
    "no total": ({"total": -1}, ([2], [])),
    "a total that is too small": ({"total": 0}, ([2], [])),
    "smaller pages": ({"page_size": 1}, ([2], [])),
}


@pytest.mark.parametrize(("lie", "expected"), LYING.values(), ids=LYING)
def test_a_list_that_lies_about_its_length_is_read_as_far_as_it_goes(search, raw_server, lie, expected):
    listing = Listing(raw_server, [row(3, **OTHERS), row(2)], **lie)
    assert search(age=HOUR) == expected
    assert listing.requests <= 3


def test_a_full_page_that_is_repeated_is_a_doubt(search, raw_server):
    listing = Listing(raw_server, [row(1000 - n, **OTHERS) for n in range(100)], total=-1, paged=False)
    assert search(age=HOUR) == ([], ["the list of runs repeats its rows"])
    assert listing.requests == 2


def test_a_list_without_an_end_is_read_for_fifty_pages(search, raw_server):
    def reply(request):
        offset = int(parse_qs(urlsplit(request.target).query)["offset"][0])
        rows = [row(10**9 - offset - n, **OTHERS) for n in range(100)]
        return answer(json.dumps(envelope(rows, total=10**9)))

    raw_server.reply = reply
    assert search(age=HOUR) == ([], ["the list of runs has no end after 5000 rows"])
    assert len(raw_server.received) == 50


def test_a_list_in_ascending_order_is_read_to_its_end(search, raw_server):
    old = [row(n, age=90_000, **OTHERS) for n in range(1, 150)]
    Listing(raw_server, [*old, row(500)])
    assert search(age=HOUR) == ([500], [])
