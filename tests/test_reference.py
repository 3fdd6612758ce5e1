"""The API reference is made of the docstrings, without a warning."""

import inspect
import re

import pdoc
import pytest

import sispy
import sispy_pandas


@pytest.mark.parametrize("package", [sispy, sispy_pandas], ids=lambda package: package.__name__)
def test_every_public_name_is_in_the_reference(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where no folder has the package's name
    pdoc.pdoc(package.__name__, output_directory=tmp_path)  # a warning would be an error

    page = (tmp_path / f"{package.__name__}.html").read_text(encoding="utf-8")
    assert set(package.__all__) - set(re.findall(r'<section id="(\w+)">', page)) == set()


def signatures(package):
    """Yield a line for each public function, class and method: what it takes, and what that is by default."""
    for name in package.__all__:
        one = getattr(package, name)
        found = {name: one} if callable(one) else {}
        if inspect.isclass(one):
            ours = [kind for kind in one.__mro__ if kind.__module__.startswith("sispy")]
            parts = {part for kind in ours for part in vars(kind) if not part.startswith("_")}
            found |= {f"{name}.{part}": inspect.getattr_static(one, part) for part in parts}
        for key, function in found.items():
            function = getattr(function, "__func__", function)  # of a classmethod
            if inspect.isfunction(function) or (key == name and inspect.isfunction(function.__init__)):
                signature = inspect.signature(function)
                bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
                line = f"{key}{signature.replace(parameters=bare, return_annotation=signature.empty)}"
                yield re.sub(" at 0x[0-9a-f]+", "", line)


@pytest.mark.parametrize("package", [sispy, sispy_pandas], ids=lambda package: package.__name__)
def test_public_functions_take_what_they_took(package, golden):
    golden(f"signatures of {package.__name__}", sorted(signatures(package)))
