"""How the files of one source are to be understood stands in a file."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sispy_pandas as sp
from sispy_pandas.formats.mapping import read_mapping, read_options, write_mapping
from sispy_pandas.formats.options import ReadOptions

MAPPING = """
encoding = "cp1250"
delimiter = ";"
decimal = ","
thousands = "."
dayfirst = true
header_row = 3
ignore_case = true

[columns]
"Host Name" = "name"

[words]
na = ["n/a"]
true = ["Ja"]
false = ["Nein"]

[constants]
note = "from the vendor"
"os.version" = 8
"""
TOLD = ReadOptions(
    encoding="cp1250",
    delimiter=";",
    decimal=",",
    thousands=".",
    dayfirst=True,
    header_row=3,
    ignore_case=True,
    rename={"Host Name": "name"},
    constants={"note": "from the vendor", "os.version": "8"},
    na=["n/a"],
    true=["Ja"],
    false=["Nein"],
)


def test_a_mapping_tells_what_options_tell(tmp_path):
    (tmp_path / "m.toml").write_text(MAPPING)

    assert read_options({"mapping": tmp_path / "m.toml"}) == TOLD


def test_what_is_told_beside_a_mapping_counts_more(tmp_path):
    (tmp_path / "m.toml").write_text(MAPPING)
    given = {"decimal": None, "dayfirst": False, "na": (), "rename": {"Host": "name"}, "encoding": "utf-8"}

    found = read_options(given | {"mapping": tmp_path / "m.toml"})

    assert (found.decimal, found.dayfirst, found.na, found.encoding) == (",", False, ["n/a"], "utf-8")
    assert found.rename == {"Host Name": "name", "Host": "name"}


def test_a_file_is_read_as_its_mapping_says(host_schema, tmp_path):
    (tmp_path / "m.toml").write_text(MAPPING)
    rows = ["Bestand;;;", "", "Host Name;CPUS;Live;Installed", "w1;1.234,5;JA;04.03.2024", "Plzeň;n/a;;"]
    (tmp_path / "t.csv").write_bytes("\r\n".join(rows).encode("cp1250"))

    frame = sp.read_csv(tmp_path / "t.csv", host_schema, mapping=tmp_path / "m.toml")

    assert frame.astype(object).where(frame.notna(), None).to_dict("list") == {
        "name": ["w1", "Plzeň"],
        "note": ["from the vendor"] * 2,
        "os.version": [8, 8],
        "cpus": [1234.5, None],
        "live": [True, None],
        "installed": [frame["installed"].iloc[0], None],
    }
    assert str(frame["installed"].iloc[0]) == "2024-03-04 00:00:00+00:00"


def test_a_constant_is_for_columns_that_the_file_lacks(host_schema, tmp_path):
    (tmp_path / "t.csv").write_text("name,note\nw1,x\n")

    with pytest.raises(ValueError, match=r"constants: .*t\.csv has a column 'note' of its own"):
        sp.read_csv(tmp_path / "t.csv", host_schema, constants={"note": "y"})


def test_what_was_used_is_the_mapping_of_the_next_file(host_schema, tmp_path):
    (tmp_path / "t.csv").write_bytes("Host;live\nPlzeň;ja\n".encode("cp1250"))
    how: Any = {"encoding": "cp1250", "rename": {"Host": "name"}, "true": ["ja"]}

    frame = sp.read_csv(tmp_path / "t.csv", host_schema, save_mapping=tmp_path / "m.toml", **how)
    again = sp.read_csv(tmp_path / "t.csv", host_schema, mapping=tmp_path / "m.toml")

    assert (tmp_path / "m.toml").read_text() == (
        'encoding = "cp1250"\ndelimiter = ";"\n\n[columns]\nHost = "name"\n\n[words]\ntrue = ["ja"]\n'
    )
    assert again.equals(frame)


TEXT = st.text(min_size=1, max_size=6)


@given(
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=2),
    st.lists(TEXT, max_size=2),
    st.sampled_from([None, True, False]),
    st.characters(codec="utf-8"),
)
def test_a_mapping_that_was_saved_comes_back(tmp_path_factory, rename, constants, words, first, delimiter):
    path = tmp_path_factory.mktemp("mapping") / "m.toml"
    lists = {"na": words, "text": words, "unit": ["€", "TB=1024"] if words else []}
    options = ReadOptions(rename=rename, constants=constants, dayfirst=first, delimiter=delimiter, **lists)

    write_mapping(path, options)

    assert ReadOptions(**read_mapping(path)) == (options if words else ReadOptions(**vars_of(options)))


def vars_of(options):
    return {name: getattr(options, name) for name in ("rename", "constants", "dayfirst", "delimiter")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("encodng = 'x'", "F: 'encodng' is not an option; did you mean 'encoding'?"),
        ("dayfirst = 'yes'", "F: dayfirst is 'yes', not of type bool"),
        ("words = 1", "F: words is a table: put what it holds below a line [words]"),
        ("[words]\nnull = []", "F: words.null is not an option"),
        ("[words]\nna = 'x'", "F: words.na is 'x', not a list of texts"),
        ("[constants]\na = [1]", "F: constants.a is [1]: write it as a text"),
        (
            "x",
            "F is not a mapping in TOML: Expected '=' after a key in a key/value pair (at end of document)",
        ),
    ],
)
def test_what_is_no_mapping_is_named(tmp_path, text, words):
    path = tmp_path / "m.toml"
    path.write_text(text)

    with pytest.raises(ValueError) as refused:
        read_mapping(path)

    assert str(refused.value).replace(str(path), "F") == words
    assert not isinstance(refused.value, tomllib.TOMLDecodeError)
