import pytest

from sispy_pandas.commands.exports import Difference, compare
from sispy_pandas.commands.inputs import TableFile
from sispy_pandas.formats.options import ReadOptions
from sispy_pandas.formats.reader import Texts

OLD = Texts(
    ("_id", "hostname", "os", "_updated_at"),
    (("a", "web1", "rhel8", "1"), ("b", "web2", "rhel8", "1"), ("c", "web3", "", "1")),
)
NEW = Texts(
    ("_id", "hostname", "os", "cpus", "_updated_at"),
    (("d", "web4", "", "8", "2"), ("b", "web2", "rhel9", "8", "2"), ("a", "web1", "rhel8", "8", "2")),
)


def test_rows_are_added_removed_and_changed_by_key():
    assert compare(OLD, NEW, key="_id") == [
        Difference("~", "web2", "os", "rhel8", "rhel9"),
        Difference("-", "web3", "hostname", "web3", ""),
        Difference("+", "web4", "hostname", "", "web4"),
    ]


def test_a_new_receipt_or_another_order_is_no_difference():
    later = Texts(OLD.columns, tuple((*row[:3], "9") for row in reversed(OLD.rows)))

    assert compare(OLD, later, key="_id") == []


def test_a_key_must_be_there_once():
    doubled = Texts(OLD.columns, (*OLD.rows, OLD.rows[0]))

    with pytest.raises(ValueError, match="_id 'a' is there more than once"):
        compare(OLD, doubled, key="_id")
    with pytest.raises(ValueError, match="no column 'serial' to recognise rows by; there are _id, hostname"):
        compare(OLD, NEW, key="serial")


def test_csv_and_ndjson_are_read_as_texts(tmp_path):
    (tmp_path / "a.csv").write_text('_id,n,l\nx,007,"[1, 2]"\n\ny,,\n')
    (tmp_path / "a.ndjson").write_text('{"_id": "x", "n": "007", "l": [1, 2]}\n{"_id": "y", "n": null}\n')
    expected = Texts(("_id", "n", "l"), (("x", "007", "[1, 2]"), ("y", "", "")))

    assert TableFile.of(tmp_path / "a.csv").texts(None, ReadOptions()) == expected
    assert TableFile.of(tmp_path / "a.ndjson").texts(None, ReadOptions()) == expected


@pytest.mark.parametrize(
    ("name", "words"), [("a.csv", "has no header"), ("a.doc", "a.doc: the name must end in one of .csv")]
)
def test_a_file_that_is_no_export_is_named(tmp_path, name, words):
    (tmp_path / name).write_text("")

    with pytest.raises(ValueError, match=words):
        TableFile.of(tmp_path / name).texts(None, ReadOptions())


@pytest.mark.parametrize("name", ["hosts.csv", "hosts.xlsx"])
def test_an_export_with_references_by_name_is_compared_by_name(sispy, name):
    assert sispy("export", "host", "-o", name, "--refs", "label").exit_code == 0

    result = sispy("diff", "host", name)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no difference\n")
