"""The API reference is made of the docstrings, without a warning."""

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
