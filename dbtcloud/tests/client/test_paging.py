"""A list is read whole and each row once, also while others come and go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.errors import MalformedResponse
from dbtcloud.client.paging import MAX_PAGES, ListPage, Pager, PageRange


class Shifting:
    """A list on a server, of which each answer shows what it is at that moment."""

    def __init__(self, count, page_size=100):
        self.ids = list(range(count))
        self.page_size = page_size

    def page(self, page_range):
        size = min(page_range.limit, self.page_size)
        return ListPage(
            [{"id": each} for each in self.ids[page_range.offset : page_range.offset + size]], len(self.ids)
        )


def read(server, pager, meanwhile=lambda done: None):
    """All ids that are told, and how many parts were asked for."""
    told, asked = [], 0
    while page_ranges := pager.next_ranges():
        for page_range in page_ranges:
            asked += 1
            told += [row["id"] for row in pager.new_rows(page_range, server.page(page_range))]
            meanwhile(asked)
            assert asked < 100
    return told, asked


def test_after_the_first_part_all_others_are_known_and_can_be_asked_for_together():
    pager = Pager()
    assert pager.next_ranges() == [PageRange(0, 100)]
    pager.new_rows(PageRange(0, 100), Shifting(350).page(PageRange(0, 100)))
    assert pager.next_ranges() == [PageRange(100, 100), PageRange(200, 100), PageRange(300, 50)]


@given(st.integers(0, 600), st.none() | st.integers(1, 700))
def test_a_list_that_stands_still_is_read_in_order_and_no_further_than_wanted(count, limit):
    told, asked = read(Shifting(count), Pager(limit))
    wanted = min(count, limit or count)
    assert told == list(range(wanted))
    assert asked == max(1, -(-wanted // 100))


def test_a_server_with_smaller_pages_is_read_whole():
    assert read(Shifting(230, page_size=50), Pager())[0] == list(range(230))


def test_rows_that_come_at_the_front_let_no_other_be_missed_or_told_twice():
    server = Shifting(350)
    told, _ = read(server, Pager(), lambda done: server.ids.insert(0, 1000 + done) if done < 4 else None)
    assert set(range(350)) <= set(told)
    assert len(told) == len(set(told))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 349)), max_size=6))
def test_rows_that_go_take_no_other_with_them(gone):
    server = Shifting(350)

    def meanwhile(done):
        for when, place in gone:
            if when == done and place < len(server.ids):
                del server.ids[place]

    told, _ = read(server, Pager(), meanwhile)
    assert set(server.ids) <= set(told)
    assert len(told) == len(set(told))


@pytest.mark.parametrize("grows", [True, False])
def test_a_list_that_never_stands_still_is_given_up(grows):
    server = Shifting(500)

    def meanwhile(done):
        if grows:
            server.ids.append(1000 + done)
        else:
            server.ids.pop(0)

    told, asked = read(server, Pager(), meanwhile)
    assert asked <= 20
    assert len(told) == len(set(told))


def test_a_list_that_promises_more_than_it_has_is_refused():
    pager = Pager()
    (first,) = pager.next_ranges()
    pager.new_rows(first, ListPage([{"id": n} for n in range(100)], 300))
    for page_range in pager.next_ranges():
        pager.new_rows(page_range, ListPage([], 300))
    with pytest.raises(MalformedResponse, match="has 300 rows, but its pages have only 100 different"):
        pager.next_ranges()


class Lying:
    """A server whose pages do not follow the offset, or do not end. Rows are kept nowhere."""

    def __init__(self, rows, total):
        self.rows, self.total = rows, total

    def page(self, page_range):
        ids = self.rows(page_range)
        return ListPage([{"id": each} for each in ids], self.total(page_range.offset))


LIES = {
    "the offset is ignored": Lying(lambda r: range(r.limit), lambda _: 10**9),
    "offset and limit are ignored": Lying(lambda _: range(100), lambda _: 250),
    "few rows and a large total": Lying(lambda _: range(2), lambda _: 10**9),
    "half of each page came before": Lying(
        lambda r: range(r.offset // 2, r.offset // 2 + 100), lambda _: 1000
    ),
    "each page moves the end": Lying(lambda r: range(r.offset, r.offset + 100), lambda offset: offset + 200),
    "it never ends": Lying(lambda r: range(r.offset, r.offset + 100), lambda _: 10**9),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("rereads", [0, 2])
def test_a_list_that_lies_ends_with_an_error_after_a_bounded_number_of_requests(lie, rereads):
    pager, asked = Pager(rereads=rereads), 0
    with pytest.raises(MalformedResponse, match=r"dbt Cloud( says that the|'s) list"):  # noqa: PT012
        while page_ranges := pager.next_ranges():
            for page_range in page_ranges:
                asked += 1
                pager.new_rows(page_range, LIES[lie].page(page_range))
    assert asked <= (MAX_PAGES if lie == "it never ends" else 60)


def test_a_limit_lets_more_pages_be_read_than_without():
    server, pager, found = LIES["it never ends"], Pager(150_000), 0
    while page_ranges := pager.next_ranges():
        for page_range in page_ranges:
            found += len(pager.new_rows(page_range, server.page(page_range)))
    assert found == 150_000
