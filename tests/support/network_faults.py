"""What goes wrong between a client and a server: one small function for each kind."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from faulty_proxy import Answered, Exchange, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = b"<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
GONE = b"<html><body><h1>Bad Gateway</h1></body></html>"
STRANGER = "00000000000000000000abcd"


def dropped_before(exchange: Exchange) -> None:
    exchange.close()


def reset_before(exchange: Exchange) -> None:
    exchange.reset()


def cut_request(exchange: Exchange) -> None:
    exchange.forward_half()
    exchange.reset()


def dropped_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.close()


def reset_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


def cut_head(exchange: Exchange) -> None:
    exchange.send(exchange.forward().encoded(exchange.asked.method)[:20])
    exchange.close()


def cut_answer(exchange: Exchange) -> None:
    answer = exchange.forward()
    content = answer.encoded(exchange.asked.method)
    exchange.send(content[: len(content) - max(1, len(answer.body) // 2)])
    exchange.close()


def never_answered(exchange: Exchange) -> None:
    exchange.forward()
    exchange.wire.recv(1)  # until the client gives up
    exchange.close()


def arrives_late(exchange: Exchange) -> None:
    exchange.later()
    exchange.reset()


def delivered_again_late(exchange: Exchange) -> None:
    exchange.answer(exchange.forward())
    exchange.later(exchange.rng.randint(1, 3))


def delivered_twice(exchange: Exchange) -> None:
    exchange.forward()
    exchange.answer(exchange.forward())


def restarted(exchange: Exchange) -> None:
    exchange.answer(exchange.forward())
    exchange.close()
    exchange.proxy.restart(0.15)


def busy_429(exchange: Exchange) -> None:
    exchange.say(429, b'{"error":"slow down"}')


def busy_429_with_a_time(exchange: Exchange) -> None:
    exchange.say(429, b"", Retry_After="1")


def away_502(exchange: Exchange) -> None:
    exchange.say(502, GONE, "text/html")


def away_503(exchange: Exchange) -> None:
    exchange.say(503, GONE, "text/html")


def away_503_with_a_time(exchange: Exchange) -> None:
    exchange.say(503, GONE, "text/html", Retry_After="1")


def broken_500(exchange: Exchange) -> None:
    exchange.say(500, GONE, "text/html")


def broken_500_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(500, b"{}")


def away_502_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(502, GONE, "text/html")


def away_503_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(503, GONE, "text/html")


def away_503_after_with_a_time(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(503, b"", Retry_After="1")


def waited_504_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(504, GONE, "text/html")


def waited_504_late(exchange: Exchange) -> None:
    exchange.later()
    exchange.say(504, GONE, "text/html")


def too_large_413(exchange: Exchange) -> None:
    if len(exchange.asked.body) > 200:
        exchange.say(413, GONE, "text/html")
    else:
        exchange.answer(exchange.forward())


def token_expired(exchange: Exchange) -> None:
    exchange.say(401, b'{"error":"Token has expired.","code":1006}')


def redirected(exchange: Exchange) -> None:
    exchange.say(302, b"", Location="https://login.example.invalid/")


def login_page(exchange: Exchange) -> None:
    exchange.say(200, PAGE, "text/html")


def login_page_after(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(200, PAGE, "text/html")


def empty_answer(exchange: Exchange) -> None:
    exchange.answer(exchange.forward(), body=b"")


def wrong_shape(exchange: Exchange) -> None:
    shapes = [
        b"{}",
        b"[]",
        b"null",
        b"0",
        b'"ok"',
        b"[null]",
        b"[[]]",
        b'{"error":"oops","code":1001}',
        b'{"success":null,"errors":null}',
        b'{"success":[],"errors":[]}',
        b'{"success":[null],"errors":[null]}',
        b'{"success":[],"errors":[{"err":null,"value":null}]}',
        b'{"success":{},"errors":""}',
        b'{"_id":null}',
    ]
    if exchange.rng.random() < 0.7:
        exchange.forward()
    exchange.say(200, exchange.rng.choice(shapes))


def deep_json(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(200, b"[" * 30_000 + b"]" * 30_000)


def cut_json(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.answer(answer, body=answer.body[: len(answer.body) // 2])


def gzip_garbage(exchange: Exchange) -> None:
    exchange.answer(exchange.forward(), body=b"\x1f\x8b\x08garbage", more="Content-Encoding: gzip\r\n")


def header_garbage(exchange: Exchange) -> None:
    exchange.answer(exchange.forward(), more="\x00\xff no header: \x1b[2J\r\n: \r\nX-Total-Count\r\n")


def no_http(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    exchange.close()


def slow(exchange: Exchange) -> None:
    time.sleep(0.2)
    exchange.answer(exchange.forward())


def byte_by_byte(exchange: Exchange) -> None:
    for byte in exchange.forward().encoded(exchange.asked.method):
        exchange.send(bytes([byte]))


def closed_afterwards(exchange: Exchange) -> None:
    exchange.answer(exchange.forward())
    exchange.close()


def answer_of_another(exchange: Exchange) -> None:
    """The answer of an earlier request, as a late one on a kept connection."""
    last = exchange.proxy.last
    if exchange.rng.random() < 0.5:
        exchange.forward()
    exchange.answer(last or Answered(200, "OK", (), b"[]"))


def unsuccessful(change: Callable[[list[Any]], list[Any]]) -> Fault:
    """Make a fault that changes the list of what was done in the answer to a write of many."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        found = json.loads(answer.body) if answer.status == 200 else None
        if exchange.asked.method == "POST" and change is _of_a_stranger:
            exchange.answer(answer)  # whose new rows are told by their _id alone: nobody could know
        elif isinstance(found, dict) and isinstance(found.get("success"), list):
            found["success"] = change(found["success"])
            exchange.answer(answer, body=json.dumps(found).encode())
        else:
            exchange.answer(answer)

    return fault


def relisted(change: Callable[[list[Any]], list[Any]]) -> Fault:
    """Make a fault that changes the rows of a list."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.forward()
        found = json.loads(answer.body) if answer.status == 200 and answer.body else None
        rows = change(found) if isinstance(found, list) else found
        exchange.answer(answer, body=json.dumps(rows).encode())

    return fault


def recounted(exchange: Exchange) -> None:
    """A list whose header counts other rows than there are."""
    answer = exchange.forward()
    headers = tuple(
        (name, str(int(text) + 3) if name.lower() == "x-total-count" else text)
        for name, text in answer.headers
    )
    exchange.answer(Answered(answer.status, answer.reason, headers, answer.body))


def _nameless(rows: list[Any]) -> list[Any]:
    return [{key: value for key, value in row.items() if key != "_id"} for row in rows]


def _renamed(rows: list[Any]) -> list[Any]:
    return [{**row, "_id": STRANGER} for row in rows[:1]]


def _of_a_stranger(rows: list[Any]) -> list[Any]:
    return rows[1:] + _renamed(rows)


ANY: dict[str, Fault] = {
    "dropped before": dropped_before,
    "reset before": reset_before,
    "cut request": cut_request,
    "dropped after": dropped_after,
    "reset after": reset_after,
    "cut head": cut_head,
    "cut answer": cut_answer,
    "never answered": never_answered,
    "restarted": restarted,
    "429": busy_429,
    "429 with a time": busy_429_with_a_time,
    "502": away_502,
    "503": away_503,
    "503 with a time": away_503_with_a_time,
    "500": broken_500,
    "redirected": redirected,
    "login page": login_page,
    "empty answer": empty_answer,
    "wrong shape": wrong_shape,
    "deep JSON": deep_json,
    "cut JSON": cut_json,
    "gzip garbage": gzip_garbage,
    "header garbage": header_garbage,
    "no HTTP": no_http,
    "slow": slow,
    "byte by byte": byte_by_byte,
    "closed afterwards": closed_afterwards,
    "answer of another": answer_of_another,
}
"""Faults of any request."""

WRITES: dict[str, Fault] = {
    "arrives late": arrives_late,
    "delivered again, late": delivered_again_late,
    "delivered twice": delivered_twice,
    "500 after": broken_500_after,
    "502 after": away_502_after,
    "503 after": away_503_after,
    "503 after, with a time": away_503_after_with_a_time,
    "504 after": waited_504_after,
    "504, arrives late": waited_504_late,
    "413": too_large_413,
    "token expired": token_expired,
    "login page after": login_page_after,
    "success repeated": unsuccessful(lambda rows: rows + rows[:1]),
    "success doubled in place of another": unsuccessful(lambda rows: rows[:1] * len(rows)),
    "success without _id": unsuccessful(_nameless),
    "success incomplete": unsuccessful(lambda rows: rows[1:]),
    "success of a stranger": unsuccessful(_of_a_stranger),
}
"""Faults of writes."""

READS: dict[str, Fault] = {
    "row missing": relisted(lambda rows: rows[1:]),
    "row doubled": relisted(lambda rows: rows[:1] + rows),
    "row of a stranger": relisted(lambda rows: rows + _renamed(rows)),
    "row without _id": relisted(_nameless),
    "rows null": relisted(lambda rows: [None] * len(rows)),
    "wrong count": recounted,
}
"""Faults of reads."""

FAULTS = {**ANY, **WRITES, **READS}
