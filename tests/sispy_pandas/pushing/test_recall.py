"""What is remembered beside the journals."""

import stat

from sispy_pandas.pushing.journal import folder
from sispy_pandas.pushing.recall import last_attempt, note_attempt

URL = "http://127.0.0.1:1"


def test_the_very_first_attempt_is_noted_too_in_a_folder_that_is_made_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SISPY_JOURNALS", str(tmp_path / "of" / "mine"))
    assert last_attempt(URL) == (0, "")

    note_attempt(URL, "a push to host", 7)

    assert last_attempt(URL) == (7, "a push to host")
    assert last_attempt("http://127.0.0.1:2") == (0, "")
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
