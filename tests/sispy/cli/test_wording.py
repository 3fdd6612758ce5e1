"""The toolkit's messages on the command line: options, not Python."""

import pytest

from sispy.cli.wording import in_a_shell


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "2 problems; the first: row 7: too short. See plan.check().problems; skip_problems=True sends "
            "the other rows",
            "2 problems; the first: row 7: too short. --skip-problems sends the other rows",
        ),
        ("the plan deletes 12 rows: expect_deletes=12", "the plan deletes 12 rows: --expect-deletes 12"),
        (
            "rows deleted since are not looked for: known= takes an older export",
            "rows deleted since are not looked for: --known FILE takes an older export",
        ),
        (
            "a.csv was exported from schema rack, not host (frame.attrs.clear() makes it a frame like any "
            "other)",
            "a.csv was exported from schema rack, not host",
        ),
        (
            "column 'Name': renamed from 'name'? Then read with rename={'Name': 'name'}",
            "column 'Name': renamed from 'name'? Then read with --rename \"Name=name\"",
        ),
        ("key='os' is not unique in schema 'host'", "--key os is not unique in schema 'host'"),
        ("so that is unknown: base='now' compares", "so that is unknown: --base-now compares"),
        ("several sheets: name one with sheet=, of a, b", "several sheets: name one with --sheet, of a, b"),
        (
            "sent, but its fate is unknown (cut off); sp.resume finds out",
            "sent, but its fate is unknown (cut off); `sispy resume` finds out",
        ),
        (
            "the fate of 2 rows is unknown: sp.resume('/j/a.jsonl').push() first",
            "the fate of 2 rows is unknown: `sispy resume /j/a.jsonl` first",
        ),
        (
            "there is no token for http://a, and writing needs one: `sispy login`, SIS_TOKEN or "
            "client.authenticate() gives one",
            "there is no token for http://a, and writing needs one: `sispy login` or SIS_TOKEN gives one",
        ),
        ("which server? give url=, set SIS_URL", "which server? give --url, set SIS_URL"),
        ("'status' is no filter; one is 'status=live'", "'status' is no filter; one is 'status=live'"),
    ],
)
def test_messages_name_the_option(said, shown):
    assert in_a_shell(said) == shown
