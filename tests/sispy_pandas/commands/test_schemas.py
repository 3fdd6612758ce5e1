from sispy_pandas.commands.schemas import tree
from sispy_pandas.values.schema import Schema
from sispy_pandas.values.types.base import Field

FIELDS = (
    Field("hostname", "String", required=True, unique=True),
    Field("status", "String", enum=("live", "spare"), default="spare"),
    Field("os.name", "String"),
    Field("os.version", "Number", min=1, max=20),
    Field("rack", "ObjectId", ref="rack"),
    Field("tags", "Array", item=Field("tags", "String", maxlength=8)),
    Field("nics", "Documents", fields=(Field("mac", "String"), Field("ip.v4", "IpAddress"))),
)


def test_a_definition_is_drawn_as_a_tree():
    schema = Schema(name="host", fields=FIELDS, id_field="hostname", definition={})

    assert tree(schema, limit=80).splitlines() == [
        "├─ hostname    String       required, unique",
        "├─ status      String       default spare, live | spare",
        "├─ os",
        "│  ├─ name     String",
        "│  └─ version  Number       1..20",
        "├─ rack        -> rack",
        "├─ tags        [String]     ..8 characters",
        "└─ nics        [documents]",
        "   ├─ mac      String",
        "   └─ ip",
        "      └─ v4    IpAddress",
    ]


def test_long_rules_are_cut_at_the_terminal():
    schema = Schema(name="s", fields=(Field("a", "String", enum=("x" * 50,)),), id_field="_id", definition={})

    assert tree(schema, limit=20) == "└─ a  String  xxxxx…"
