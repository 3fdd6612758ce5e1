from __future__ import annotations

import re

import pytest

from sispy.remedies import Argument, Call, Message, worded
from sispy_pandas.values.blocks import (
    Column,
    Lines,
    Table,
    as_html,
    as_markdown,
    as_object,
    as_page,
    as_text,
    html_table,
    objects,
)

TOO_LONG = Message("too long", Argument("skip", "leaves it out", True))
TABLE = Table(
    (
        Column("", "action"),
        Column(None, "_id"),
        Column("name"),
        Column("before", "before", "value"),
        Column("after", "after", "value"),
        Column("reason", "reason", "sentence"),
    ),
    [
        (
            "~",
            "a1",
            "web-1",
            [1, {"x": None}],
            "<b>",
            Message("too long", Argument("skip", "leaves it out", True)),
        ),
        ("-", "b2", "db|1", None, 8, ""),
        ("+", "c3", "\x1b[2J", "", True, "@everyone"),
    ],
    noun="cell",
    name="cells",
    title="Cells",
    rest=Call(".frame()", "has all of them"),
)
BLOCKS: list[Lines | Table] = [Lines(("host on <sis>", "a note")), TABLE]


def short(text: str) -> str:
    """Word a message without its ways out."""
    return worded(text, lambda _: None)


def test_as_text():
    assert as_text(BLOCKS, shown=2) == (
        "host on <sis>\n"
        "a note\n"
        "\n"
        "   name   before            after  reason\n"
        '~  web-1  [1, {"x": null}]  <b>    too long: skip=True leaves it out\n'
        "-  db|1                     8\n"
        "... and 1 more cell: .frame() has all of them"
    )


def test_text_in_a_terminal():
    marked = as_text(BLOCKS, told=short, limit=40, styled=lambda text, style: f"{style}: {text}")

    assert marked.split("\n\n")[1].split("\n") == [
        "bold:    name     before      after  reason",
        'yellow: ~  web-1    [1, {"x":…  <b>    too long',
        "red: -  db|1                 8",
        r"green: +  \x1b[2J              true   @everyone",
    ]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        ((Column("name"), Column("note")), "web-web-web-w…  aaaaaaaaaaaaa…"),
        ((Column("name", whole=True), Column("note")), "web-web-web-web-web-  aaaaaaa…"),
        ((Column("name"), Column("note", whole=True)), "web-w…  aaaaaaaaaaaaaaaaaaaaaa"),
    ],
)
def test_a_column_is_cut_to_fit_a_terminal_unless_it_is_kept_whole(columns, shown):
    table = Table(columns, [("web-" * 5, "a" * 22)])

    assert as_text([table], limit=30).splitlines()[1:] == [shown]


def test_as_markdown_keeps_the_indentation_of_nested_fields():
    table = Table((Column("field"), Column("value")), [("os", ""), ("  name", "rhel"), ("  - _id", "a")])

    assert as_markdown([table]).splitlines()[2:] == [
        "| os |  |",
        "| &nbsp;&nbsp;name | rhel |",
        r"| &nbsp;&nbsp;- \_id | a |",
    ]


def test_as_markdown_shows_every_text_as_it_is():
    assert as_markdown(BLOCKS, told=short) == (
        "### host on \\<sis\\>\n"
        "\n"
        "a note\n"
        "\n"
        "|  | name | before | after | reason |\n"
        "| --- | --- | --- | --- | --- |\n"
        '| ~ | web-1 | \\[1, {"x": null}\\] | \\<b\\> | too long |\n'
        "| - | db\\|1 |  | 8 |  |\n"
        "| + | \\\\x1b\\[2J |  | true | \\@everyone |"
    )


def test_as_html_is_escaped_and_bounded_and_its_texts_stand_to_the_left():
    found = as_html(BLOCKS, about="plan", shown=1)

    assert re.sub(r'(<t[hd]) style="text-align: left; padding: 4px 12px 4px 8px">', r"\1>", found) == (
        '<div class="sispy-plan"><p><b>host on &lt;sis&gt;</b></p><p>a note</p>'
        '<div style="max-height: 24em; overflow: auto"><table><thead><tr>'
        "<th></th><th>name</th><th>before</th><th>after</th><th>reason</th></tr></thead><tbody><tr>"
        "<td>~</td><td>web-1</td><td>[1, {&quot;x&quot;: null}]</td><td>&lt;b&gt;</td>"
        "<td>too long: skip=True leaves it out</td></tr></tbody></table></div>"
        "<p>... and 2 more cells: .frame() has all of them</p></div>"
    )
    assert found.count("text-align: left") == 10


def test_numbers_of_a_fragment_stand_to_the_right():
    found = as_html([Table((Column("rows"), Column("live")), [(8, True)])], about="tables")
    assert '<td align="right" style="padding: 4px 12px 4px 8px">8</td><td style="text-align: left; ' in found


def test_a_page_is_complete():
    page = as_page([*BLOCKS, Table((Column("text", holds="value"),), [("x" * 1_000,)])])

    assert page.startswith(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>host on &lt;sis&gt;</title>'
    )
    assert "<h1>host on &lt;sis&gt;</h1><p>a note</p><h2>Cells</h2><table>" in page
    assert page.count("<tr>") == 6
    assert f"<td>{'x' * 1_000}</td>" in page


def test_a_table_without_titles_has_no_head():
    assert html_table(["", ""], [["user", None]]) == (
        "<table><tbody><tr><td>user</td><td></td></tr></tbody></table>"
    )


def test_json_has_exact_values_and_what_programs_need():
    document = as_object({"server": "s"}, [TABLE, Table((Column("a"),), [(1,)])], told=short)

    assert document == {
        "server": "s",
        "cells": [
            {"action": "~", "_id": "a1", "before": [1, {"x": None}], "after": "<b>", "reason": "too long"},
            {"action": "-", "_id": "b2", "before": None, "after": 8, "reason": ""},
            {"action": "+", "_id": "c3", "before": "", "after": True, "reason": "@everyone"},
        ],
    }
    assert objects(Table((Column("a"),), [(1,)])) == [{}]


@pytest.mark.parametrize("writer", [as_text, as_markdown])
def test_long_texts_are_cut(writer):
    assert len(writer([Lines(("x" * 10_000,)), Table((Column("a"),), [("y" * 10_000,)])])) < 1_200
