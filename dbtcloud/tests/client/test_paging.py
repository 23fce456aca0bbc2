"""A list is read whole and each row once, also while others come and go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbtcloud.client.paging import ListPage, Pager, PageRange


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


def test_a_list_that_promises_more_than_it_has_is_given_up():
    pager = Pager()
    (first,) = pager.next_ranges()
    pager.new_rows(first, ListPage([{"id": n} for n in range(100)], 300))
    for page_range in pager.next_ranges():
        pager.new_rows(page_range, ListPage([], 300))
    assert pager.next_ranges() == []
