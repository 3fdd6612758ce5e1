"""Paging against servers that a sandbox cannot be made to be."""

import json
import threading
from typing import Any

import pytest

import sispy
from sispy.response import Headers
from sispy_pandas.reading.decode import Decoder
from sispy_pandas.reading.pages import by_key, by_offset

DECODER = Decoder([])


def server(ids, *, cap=None, counts=True, lie=0):
    """Return an `ask` that pages like SIS, with at most `cap` rows a page."""

    def ask(query):
        q = query.get("q") or {}
        conditions = (q.get("$and", [q])[-1]).get("_id", {})
        found = [
            i
            for i in ids
            if i > conditions.get("$gt", "")
            and i >= conditions.get("$gte", "")
            and i < conditions.get("$lt", "~")
        ]
        start = query.get("offset", 0)
        rows = found[start : start + min(query["limit"], cap or 99)]
        body = json.dumps([{"_id": i, "_sis": {"_updated_at": 1}} for i in rows]).encode()
        return sispy.RawPage(body, Headers(), len(found) + lie if counts else None)

    return ask


def ids_of(pages):
    found = sorted(pages, key=lambda page: page.slot)
    return [i for page in found for rows in page.rows.blocks() for i in rows.columns["_id"]]


IDS = [f"{i:03}" for i in range(25)]


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize(("cap", "counts"), [(None, True), (3, True), (None, False)])
def test_all_rows_come_once_and_in_order(lanes, cap, counts):
    ask = server(IDS, cap=cap, counts=counts)
    assert ids_of(by_key(ask, DECODER, {}, limit=None, lanes=lanes, size=4)) == IDS


@pytest.mark.parametrize(("limit", "offset"), [(None, 0), (7, 0), (None, 20), (3, 24), (5, 30)])
def test_pages_by_offset(limit, offset):
    ask = server(IDS)
    expected = IDS[offset:][:limit]
    assert ids_of(by_offset(ask, DECODER, {}, limit=limit, offset=offset, size=4)) == expected


def test_pages_by_offset_need_a_count():
    with pytest.raises(sispy.BadAnswer, match="x-total-count"):
        list(by_offset(server(IDS, counts=False), DECODER, {}, limit=None, offset=0, size=4))


def test_a_server_that_counts_rows_it_does_not_show_is_no_endless_loop():
    assert ids_of(by_key(server(IDS, lie=5), DECODER, {}, limit=None, lanes=2, size=4)) == IDS


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_server_that_ignores_the_filter_is_no_endless_loop(lanes):
    honest = server(IDS)

    def deaf(query):
        return honest({**query, "q": {}})

    with pytest.raises(sispy.BadAnswer, match="after 003 it sent 000 to 003, so the list would have no end"):
        ids_of(by_key(deaf, DECODER, {}, limit=None, lanes=lanes, size=4))


def test_a_server_that_ignores_the_offset_is_no_endless_loop():
    honest = server(IDS)

    def deaf(query):
        return honest({**query, "offset": 0})

    with pytest.raises(sispy.BadAnswer, match="sent the rows at offset 0 again, in place of those behind"):
        ids_of(by_offset(deaf, DECODER, {}, limit=None, offset=0, size=4))


def test_a_server_that_goes_round_in_a_circle_is_left():
    honest = server(IDS, lie=10**9)

    def circling(query):
        return honest({**query, "offset": query["offset"] % 12})

    with pytest.raises(sispy.BadAnswer, match=r"sent the rows at offset \d+ again, in place of those behind"):
        ids_of(by_offset(circling, DECODER, {}, limit=None, offset=0, size=4))


def test_pages_by_offset_end_where_there_are_no_more_rows():
    ask, asked = server(IDS, lie=10**9), []

    pages = by_offset(
        lambda query: asked.append(query) or ask(query), DECODER, {}, limit=None, offset=0, size=4
    )

    assert ids_of(pages) == IDS
    assert len(asked) <= 10


def test_leaving_the_pages_early_ends_the_threads():
    before = threading.active_count()
    pages: Any = by_key(server(IDS), DECODER, {}, limit=None, lanes=2, size=4)
    next(pages)
    pages.close()
    assert threading.active_count() == before
