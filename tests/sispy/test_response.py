import pytest

import sispy
from sispy.response import Headers


def test_a_list_behaves_like_a_list():
    response = sispy.Response([{"n": 1}, {"n": 2}])

    response[0] = {"n": 0}
    del response[1]

    assert (len(response), list(response), response[0], {"n": 0} in response) == (
        1,
        [{"n": 0}],
        {"n": 0},
        True,
    )
    assert (str(response), repr(response)) == ("[{'n': 0}]", "Response([{'n': 0}])")
    assert response.to_list() == [{"n": 0}]
    assert response.to_list() is not response._result
    with pytest.raises(sispy.Error, match="Response is not a dict-like object"):
        response.to_dict()


def test_a_dict_behaves_like_a_dict():
    response = sispy.Response({"n": 1})

    response["m"] = 2

    assert (sorted(response), "m" in response, response.to_dict()) == (["m", "n"], True, {"n": 1, "m": 2})
    with pytest.raises(sispy.Error, match="Response is not a list-like object"):
        response.to_list()


def test_a_long_repr_is_cut():
    assert len(repr(sispy.Response(["x" * 5000]))) == len("Response()") + 1000


def test_meta_counts_only_what_the_server_counted():
    assert sispy.Meta({"x-total-count": "12"}).total_count == 12
    for headers in ({}, {"x-total-count": "many"}):
        assert not hasattr(sispy.Meta(headers), "total_count")


def test_headers_keep_their_spelling_and_match_in_any_case():
    headers = Headers([("X-Total-Count", "3"), ("Vary", "a"), ("vary", "b")])

    assert headers["x-total-count"] == headers["X-TOTAL-COUNT"] == "3"
    assert dict(headers) == {"X-Total-Count": "3", "vary": "a, b"}
    assert ("VARY" in headers, "nope" in headers, headers.get("nope"), len(headers)) == (True, False, None, 2)
    del headers["VARY"]
    assert repr(headers) == "Headers([('X-Total-Count', '3')])"
