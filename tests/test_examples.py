"""The examples in docstrings show what happens: each is run, against a sandbox where it asks a server."""

import doctest
import importlib
import pkgutil

import pytest

import sispy
import sispy.sandbox
import sispy_pandas
from sispy.sandbox import Sandbox

MODULES = [
    info.name
    for package in (sispy, sispy_pandas)
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not info.name.endswith("__main__")
]


def examples(name: str) -> list[doctest.DocTest]:
    """Return the examples of a module's own names, as far as it can be imported here."""
    module = importlib.import_module(name)
    return [test for test in doctest.DocTestFinder().find(module, name) if test.examples]


@pytest.fixture(scope="module")
def known():
    """What every example may use: the public names of the toolkit, and a client of a sandbox with samples."""
    with Sandbox(samples=10) as sis:
        client = sis.client()
        public = {name: getattr(sispy_pandas, name) for name in sispy_pandas.__all__}
        yield {
            **public,
            "sp": sispy_pandas,
            "client": client,
            "sis": client,
            "hosts": client.entities("host"),
        }


@pytest.mark.parametrize(
    "test", [test for name in MODULES for test in examples(name)], ids=lambda test: test.name
)
def test_example(test, known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    live = sispy_pandas.fetch(known["hosts"], progress=False)
    test.globs = {**known, "live": live, "snapshot": live, **test.globs}
    told: list[str] = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(optionflags=flags).run(test, out=told.append)
    assert "".join(told) == ""


def test_every_public_name_shows_an_example():
    without = {
        name
        for package in (sispy, sispy_pandas, sispy.sandbox)
        for name in package.__all__
        if ">>> " not in (getattr(package, name).__doc__ or "")
    }

    # no example could make these without a name server, or a web server that is no SIS
    assert without == {"NotJSON", "Redirected", "UnknownHost"}
