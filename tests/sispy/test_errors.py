import copy
import pickle

import pytest

import sispy
from sispy.sandbox import Sandbox


def every_kind():
    def below(kind):
        return [kind, *(item for sub in kind.__subclasses__() for item in below(sub))]

    return below(sispy.Error)


@pytest.mark.parametrize("kind", every_kind())
def test_errors_pickle_and_copy(kind):
    error = kind("what happened")
    error.code, error.http_status_code = 1001, 400

    for clone in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (type(clone), str(clone), clone.args, vars(clone)) == (
            kind,
            "what happened",
            error.args,
            vars(error),
        )


def test_the_root_is_called_as_in_sispy_1():
    error = sispy.Error(error="gone", http_status_code=404, code=1000, response_dict={"a": 1})

    assert (error.error, error.http_status_code, error.code, error.response_dict) == (
        "gone",
        404,
        1000,
        {"a": 1},
    )
    assert repr(error) == "Error('gone', http_status_code=404, code=1000, response_dict={'a': 1})"
    assert sispy.Error(None).error == "unknown error"  # type: ignore[arg-type] # as code for 1.1 may


def test_no_answer_is_an_os_error():
    assert issubclass(sispy.NoAnswer, OSError)
    assert issubclass(sispy.Timeout, TimeoutError)
    assert issubclass(sispy.ConnectionLost, ConnectionError)
    assert not issubclass(sispy.BadAnswer, OSError)


def test_the_path_of_the_api_in_the_address_is_named():
    with Sandbox() as sis, pytest.raises(sispy.NotFound) as caught:
        sispy.Client(f"{sis.url}/api/v1.1").info()

    assert caught.value.error.endswith(
        "; is the path of the API, /api/v..., in the client's url? It is added to that"
    )
