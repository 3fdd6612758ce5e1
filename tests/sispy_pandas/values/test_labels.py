"""Labels of references in columns of texts, and of lists of them."""

import numpy as np
import pandas as pd

from sispy.remedies import what_of
from sispy_pandas.values.labels import members, replaced, with_ids
from sispy_pandas.values.schema import parse_schema
from sispy_pandas.values.types.cells import STRINGS, Refused

ID = "0123456789abcdef01234567"
BAD = Refused("nowhere", "no row of site has name 'nowhere'")
CELLS = ["s0", None, np.nan, 5, Refused("#REF!", "an error"), ("s1", None), np.array(["s2", "s0"]), ["s0", 7]]


def test_the_members_of_a_column_are_all_texts_in_it_that_are_not_refused():
    assert members(pd.Series(CELLS, dtype=object)) == {"s0", "s1", "s2"}


def test_known_texts_are_replaced_and_a_list_with_a_bad_one_is_refused_whole():
    found = replaced(
        pd.Series([*CELLS, ["s0", "nowhere"], "nowhere"]), {"s0": "a", "s2": "c", "nowhere": BAD}
    )

    assert found.tolist() == [
        *("a", None, None, 5, "#REF!", ("s1", None), ("c", "a"), ("a", 7)),
        *("['s0', 'nowhere']", "nowhere"),
    ]
    assert {i: cell.reason for i, cell in enumerate(found) if isinstance(cell, Refused)} == {
        4: "an error",
        8: BAD.reason,
        9: BAD.reason,
    }


def test_names_become_ids_in_those_columns_of_references_that_a_table_has():
    definition = {
        "site": {"type": "ObjectId", "ref": "site"},
        "racks": [{"type": "ObjectId", "ref": "rack"}],
        "owner": {"type": "ObjectId", "ref": "user"},
        "note": "String",
    }
    schema = parse_schema({"name": "host", "definition": definition})
    frame = pd.DataFrame({"note": ["s0"], "racks": [["r0", ID]], "owner": ["anna"]})

    found = with_ids(frame, schema, {"racks": {"r0": "1" * 24}, "site": {"s0": "2" * 24}})

    assert found.to_dict("list") == {"note": ["s0"], "racks": [("1" * 24, ID)], "owner": ["anna"]}
    assert isinstance(found.loc[0, "owner"], Refused)
    assert what_of(found.loc[0, "owner"].reason) == "'anna' is a name that the file did not hold"


def test_a_column_of_texts_alone_stays_one_of_texts():
    found = replaced(pd.Series(["s0", None, "s1"], index=[3, 4, 5]), {"s0": "a"})

    pd.testing.assert_series_equal(found, pd.Series(["a", None, "s1"], index=[3, 4, 5], dtype=STRINGS))
