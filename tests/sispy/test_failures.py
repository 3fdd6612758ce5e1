import http.client
import ssl
from http import HTTPStatus

import pytest

import sispy
from sispy.failures import TRUST_HINT, bad_answer, no_answer

HTML_404 = b"<!DOCTYPE html>\n<head><title>Error</title></head><pre>Cannot GET /api/v1.1/x</pre>"
TOO_LONG = "the URL and headers are too long; split the query (URLs below 6 KB are safe)"


@pytest.mark.parametrize(
    ("status", "body", "kind", "text", "code"),
    [
        (400, b'{"error":"Bad request: n","code":1001}', sispy.BadRequest, "Bad request: n", 1001),
        (
            404,
            b'{"error":"host x does not exist","code":1000}',
            sispy.NotFound,
            "host x does not exist",
            1000,
        ),
        (401, b'{"error":"Unauthorized. no","code":1004}', sispy.Unauthorized, "Unauthorized. no", 1004),
        (
            400,
            b'{"error":"Missing x-auth-token","code":1001}',
            sispy.Unauthorized,
            "Missing x-auth-token",
            1001,
        ),
        (
            404,
            b'{"error":"sis_tokens t0ken does not exist"}',
            sispy.Unauthorized,
            "sis_tokens *** does not exist",
            None,
        ),
        (
            500,
            b'{"error":"Internal error E11000 dup","code":1002}',
            sispy.DuplicateKey,
            "Internal error E11000 dup",
            1002,
        ),
        (
            500,
            b'{"error":"Internal error PayloadTooLargeError"}',
            sispy.PayloadTooLarge,
            "Internal error PayloadTooLargeError",
            None,
        ),
        (413, b"", sispy.PayloadTooLarge, f"413 {HTTPStatus(413).phrase}: the answer is empty", None),
        (429, b"slow down", sispy.TooManyRequests, "429 Too Many Requests: slow down", None),
        (
            500,
            b'{"name":"MongoError","message":"bad sort","code":2}',
            sispy.ServerError,
            "MongoError: bad sort",
            2,
        ),
        (
            500,
            b'{"name":"CastError","message":"Cast to number"}',
            sispy.ServerError,
            "CastError: Cast to number",
            None,
        ),
        (500, b"{}", sispy.ServerError, "500 Internal Server Error: {}", None),
        (500, b'{"error":{"a":1}}', sispy.ServerError, "{'a': 1}", None),
        (404, HTML_404, sispy.NotFound, "404 Not Found: Cannot GET /api/v1.1/x", None),
        (
            502,
            b"<html><h1>502 Bad Gateway</h1>nginx</html>",
            sispy.ServerError,
            "502 Bad Gateway: 502 Bad Gateway nginx",
            None,
        ),
        (400, b"", sispy.BadRequest, "400 Bad Request: the answer is empty", None),
        (431, b"", sispy.BadRequest, f"431 Request Header Fields Too Large: {TOO_LONG}", None),
        (
            500,
            b'{"error":"Internal error x\\n    at Object.<anonymous> (/srv/sis/a.js:1)"}',
            sispy.ServerError,
            "Internal error x",
            None,
        ),
        (418, b"[1]", sispy.BadRequest, "418 I'm a Teapot: [1]", None),
        (599, b"\xff\xfe", sispy.ServerError, "599 unknown status: \ufffd\ufffd", None),
    ],
)
def test_every_shape_of_answer_becomes_an_error_that_helps(status, body, kind, text, code):
    error = bad_answer(status, body, secrets=["t0ken"])

    assert (type(error), error.error, error.code) == (kind, text, code)
    assert str(error) == text.removeprefix("Unauthorized. ")
    assert error.http_status_code == status
    assert isinstance(error.response_dict, dict)


def test_only_a_compare_and_set_request_conflicts():
    body = b'{"error":"Bad request: CAS update failed.","code":1001}'

    assert type(bad_answer(400, body, cas=True)) is sispy.CASConflict
    assert type(bad_answer(400, body)) is sispy.BadRequest


def test_a_body_above_ten_mib_explains_any_500():
    assert type(bad_answer(500, b"{}", sent_bytes=10 * 2**20 + 1)) is sispy.PayloadTooLarge
    assert type(bad_answer(500, b"{}", sent_bytes=10 * 2**20)) is sispy.ServerError
    assert type(bad_answer(503, b"{}", sent_bytes=10 * 2**20 + 1)) is sispy.ServerError


def test_tokens_are_masked_everywhere():
    error = bad_answer(
        404, b'{"error":"sis_tokens t0ken does not exist","deep":[{"t0ken":"a t0ken"}]}', secrets=["t0ken"]
    )

    assert error.response_dict == {"error": "sis_tokens *** does not exist", "deep": [{"***": "a ***"}]}
    assert "t0ken" not in f"{error!r} {error} {error.args}"


@pytest.mark.parametrize(
    "cause", [http.client.IncompleteRead(b"[1"), ValueError("invalid literal for int()")]
)
def test_an_answer_that_ends_early_is_called_so(cause):
    error = no_answer(cause, "http://x:1", sent=True)

    assert (type(error), str(error)) == (
        sispy.ConnectionLost,
        "http://x:1: the connection was lost (the answer was cut off)",
    )


def of_tls(kind):
    """Return an error of TLS as the socket raises it: made by hand it has no reason."""
    error = kind(1, "said")
    error.reason = "ODD"
    return error


@pytest.mark.parametrize(
    ("cause", "sent", "kind", "text"),
    [
        (of_tls(ssl.SSLError), False, sispy.TLSFailed, f"S: TLS failed (ODD); {TRUST_HINT}"),
        (of_tls(ssl.SSLEOFError), False, sispy.TLSFailed, f"S: TLS failed (ODD); {TRUST_HINT}"),
        (of_tls(ssl.SSLEOFError), True, sispy.ConnectionLost, "S: the connection was lost (said)"),
        (TimeoutError(), False, sispy.Timeout, "S: no connection within 3 s"),
        (TimeoutError(), True, sispy.Timeout, "S: no complete answer within 3 s"),
        (ConnectionRefusedError(111, "no"), False, sispy.Refused, "S: cannot connect (no)"),
    ],
)
def test_what_the_socket_said_is_an_error_of_its_kind(cause, sent, kind, text):
    error = no_answer(cause, "S", sent=sent, seconds=3.0)

    assert (type(error), error.sent) == (kind, sent)
    assert str(error).startswith(text)
