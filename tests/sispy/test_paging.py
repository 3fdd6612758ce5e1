import itertools
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import sispy
from sispy.paging import page_limit


class Table:
    """Answer list requests as the server does, from rows that a test may change between pages."""

    def __init__(self, count, cap=10_000):
        self.rows: list[dict[str, Any]] = [{"_id": f"{n:024x}", "n": n} for n in range(count)]
        self.cap = cap
        self.asked = []

    def fetch_page(self, query):
        self.asked.append(dict(query))
        q = query.get("q") or {}
        rows = [row for row in self.rows if self._matches(row, json.loads(q) if isinstance(q, str) else q)]
        for name in reversed((query.get("sort") or "").split(",")):
            if name:
                rows.sort(key=lambda row: row[name.lstrip("-")], reverse=name.startswith("-"))
        offset = int(query.get("offset") or 0)
        page = rows[offset : offset + min(int(query["limit"]), self.cap)]
        meta = sispy.Meta({"x-total-count": str(len(rows))})
        return sispy.Response([dict(row) for row in page], meta)

    def _matches(self, row, q):
        if "$and" in q:
            return all(self._matches(row, item) for item in q["$and"])
        return all(
            row[key] > cond["$gt"] if isinstance(cond, dict) else row[key] == cond for key, cond in q.items()
        )


@pytest.fixture
def table(monkeypatch):
    def make(count, **options):
        table = Table(count, **options)
        host = sispy.Client("http://127.0.0.1:1").entities("host")
        monkeypatch.setattr(host, "fetch_page", table.fetch_page)
        return table, host

    return make


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("query", [None, {"sort": "-n"}, {"q": {"n": {"$gt": -1}}}, {"fields": "n,-_id"}])
def test_each_row_comes_once(table, count, query):
    rows, host = table(count)

    got = [row["n"] for page in host.pages(query, page_size=4) for row in page]

    assert sorted(got) == list(range(count))
    assert len(rows.asked) <= count // 4 + 1


def test_pages_follow_by_key(table):
    rows, host = table(5)

    pages = list(host.pages({"q": {"n": {"$gt": 0}}}, page_size=2))

    assert [len(page) for page in pages] == [2, 2]
    after = [{"q": {"n": {"$gt": 0}}, "sort": "_id", "limit": 2}]
    q = {"$and": [{"n": {"$gt": 0}}, {"_id": {"$gt": f"{2:024x}"}}]}
    after.append({"q": q, "sort": "_id", "limit": 2})
    assert rows.asked == after


def test_rows_that_come_and_go_hide_no_others(table):
    rows, host = table(9)
    got = []

    for page in host.pages(page_size=3):
        got += [row["n"] for row in page]
        rows.rows = [row for row in rows.rows if row["n"] not in (0, 4)]
        rows.rows.insert(0, {"_id": "0" * 24, "n": 99})

    assert got == [0, 1, 2, 3, 5, 6, 7, 8]


def test_a_caller_who_sorts_gets_ties_broken_by_id(table):
    rows, host = table(3)

    list(host.pages({"sort": ["n"]}, page_size=2))
    list(host.pages({"sort": "-_id"}, page_size=5))

    assert rows.asked == [
        {"sort": "n,_id", "limit": 2, "offset": 0},
        {"sort": "n,_id", "limit": 2, "offset": 2},
        {"sort": "-_id", "limit": 5, "offset": 0},
    ]


def test_an_offset_is_where_the_pages_begin(table):
    _, host = table(7)

    assert [row["n"] for row in host.fetch_all({"offset": 3, "limit": 2})] == [3, 4, 5, 6]


def test_a_server_that_cuts_pages_shorter_than_asked_is_read_to_the_end(table):
    _, host = table(10, cap=4)

    assert len(host.fetch_all()) == 10
    assert len(host.fetch_all({"sort": "n"})) == 10


def test_a_server_whose_count_never_ends_is_left_when_it_has_no_more_rows(table, monkeypatch):
    rows, host = table(4)
    page = rows.fetch_page

    def lying(query):
        answer = page(query)
        answer._meta.total_count = 1000
        return answer

    monkeypatch.setattr(host, "fetch_page", lying)

    assert len(host.fetch_all({"limit": 2})) == 4
    assert len(host.fetch_all({"limit": 2, "sort": "n"})) == 4


def test_conditions_in_brackets_page_by_offset(table):
    rows, host = table(0)

    list(host.pages({"q[n]": 3}, page_size=2))

    assert rows.asked == [{"q[n]": 3, "sort": "_id", "limit": 2, "offset": 0}]


def test_pages_are_lazy_and_at_least_one(table):
    rows, host = table(9)

    pages = host.pages(page_size=2)
    assert rows.asked == []
    list(itertools.islice(pages, 2))
    assert len(rows.asked) == 2

    rows.rows = []
    assert [len(page) for page in host.pages()] == [0]


def test_fetch_all_counts_all_matches(table):
    _, host = table(5)

    response = host.fetch_all({"limit": 2})

    assert (len(response), response._meta.total_count) == (5, 5)


def test_the_callers_query_is_never_written_to(table):
    _, host = table(5)
    query = {"q": {"n": {"$gt": 0}}, "limit": 2}
    before = json.dumps(query)

    host.fetch_all(query)
    host.fetch_all(query)

    assert json.dumps(query) == before


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, 50), (0, 50), ("7", 7), (-7, 7), ("x", 50), (99_999, 10_000)]
)
def test_the_page_size_is_the_callers_limit(limit, expected):
    assert page_limit({"limit": limit}, 50) == expected


@pytest.mark.parametrize("size", [0, -1, 10_001])
def test_a_page_size_out_of_range_is_refused_at_once(table, size):
    _, host = table(1)

    with pytest.raises(ValueError, match=f"page_size is 1 to 10000, got {size}"):
        host.pages(page_size=size)


def test_commits_page_by_offset(double, wire):
    commits = [{"_id": f"{n:024x}"} for n in range(5)]
    server = double(
        *(wire.answer(commits[n : n + 2], headers={"X-Total-Count": "5"}) for n in (0, 2, 4)), wire.answer([])
    )

    got = (
        server.client().entities("host").commits("6b04/x").fetch_all({"limit": 2, "q": {"action": "update"}})
    )

    assert got.to_list() == commits
    asked = [urlsplit(seen.target) for seen in server.seen]
    assert {url.path for url in asked} == {"/api/v1.1/entities/host/6b04%2Fx/commits"}
    assert [parse_qs(url.query) for url in asked] == [
        {"limit": ["2"], "q": ['{"action":"update"}'], "offset": [str(n)]} for n in (0, 2, 4)
    ]


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("query", [{}, {"sort": "n"}, {"fields": "n,-_id"}])
def test_a_server_that_repeats_a_page_is_no_endless_loop(table, monkeypatch, query, counts):
    rows, host = table(7)

    def stuck(asked):
        answer = rows.fetch_page({**asked, "q": {}, "offset": 0})
        if not counts:
            answer._meta.total_count = None
        return answer

    monkeypatch.setattr(host, "fetch_page", stuck)

    with pytest.raises(sispy.BadAnswer, match=r"repeats rows|a second time"):
        host.fetch_all({**query, "limit": 2})


def test_rows_without_ids_may_be_alike(table, monkeypatch):
    _, host = table(0)
    meta = sispy.Meta({"x-total-count": "6"})
    monkeypatch.setattr(host, "fetch_page", lambda query: sispy.Response([{"n": 1}] * 2, meta))

    assert host.fetch_all({"fields": "n,-_id", "limit": 2}).to_list() == [{"n": 1}] * 6


def test_a_last_page_that_is_repeated_is_refused_too(table, monkeypatch):
    rows, host = table(5)
    pages = iter([rows.rows[:4], rows.rows[2:5]])

    def repeating(query):
        return sispy.Response(next(pages), sispy.Meta({}))

    monkeypatch.setattr(host, "fetch_page", repeating)

    with pytest.raises(sispy.BadAnswer) as caught:
        host.fetch_all({"limit": 4})
    assert caught.value.error == (
        "the server repeats rows or does not sort them by _id: after 000000000000000000000003 it sent "
        "000000000000000000000002 to 000000000000000000000004, so the list would have no end"
    )


def test_rows_without_an_id_cannot_be_paged_by_key(table, monkeypatch):
    _, host = table(0)
    monkeypatch.setattr(host, "fetch_page", lambda query: sispy.Response([{"n": 1}] * 2, sispy.Meta({})))

    with pytest.raises(sispy.BadAnswer, match="it sent None to None"):
        host.fetch_all({"limit": 2})


@pytest.mark.parametrize("counts", [True, False])
def test_a_server_that_goes_round_in_a_circle_is_left(table, monkeypatch, counts):
    rows, host = table(12)

    def circling(asked):
        answer = rows.fetch_page({**asked, "offset": asked["offset"] % 6})
        answer._meta = sispy.Meta({"x-total-count": "9" * 12} if counts else {})
        return answer

    monkeypatch.setattr(host, "fetch_page", circling)

    with pytest.raises(sispy.BadAnswer, match="sent rows from before offset 6 a second time"):
        host.fetch_all({"sort": "n", "limit": 2})


@pytest.mark.parametrize("query", [{}, {"sort": "n"}])
@pytest.mark.parametrize("answer", [None, {"error": "x"}, "rows", 5, [[]], [None], ["row"]], ids=str)
def test_an_answer_that_is_no_list_of_objects_is_told(table, monkeypatch, query, answer):
    _, host = table(0)
    monkeypatch.setattr(host, "fetch_page", lambda query: sispy.Response(answer, sispy.Meta({})))

    with pytest.raises(sispy.NotJSON) as caught:
        host.fetch_all(query)
    assert caught.value.error == f"the answer is not a list of objects: {answer}"


@pytest.mark.parametrize("count", ["", "-1", "1e3", "²", "many", "9" * 5000])
def test_a_count_that_is_none_is_not_known(count):
    assert not hasattr(sispy.Meta({"x-total-count": count}), "total_count")
