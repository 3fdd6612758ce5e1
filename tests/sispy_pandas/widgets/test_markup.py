"""Pages that Python writes: what is text stays text, whatever it holds."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from sispy_pandas.widgets.markup import area, button, choice, h, table, text_field


class Read(HTMLParser):
    """Collects the elements and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


@given(st.text(max_size=40))
def test_no_text_is_markup_and_fields_hold_it_exactly(text):
    page = h("p", h("b", text, title=text), button(text, "go", with_={"to": text}))
    read = Read(page)
    assert [tag for tag, _ in read.elements] == ["p", "b", "button"]
    assert json.loads(read.elements[2][1]["data-with"]) == {"to": text}
    ((_, field),) = Read(text_field(text, "edit", label="Text")).elements
    assert (field["value"] or "").replace("\r\n", "\n") == text.replace("\r\n", "\n")
    long = "".join(Read(area(text, "edit", label="Text")).texts)
    assert long.removeprefix("\n") == text


def test_attributes_are_written_as_html_names_them():
    assert h(
        "input", type="checkbox", checked=True, disabled=False, title=None, aria_label="x", class_="y"
    ) == ('<input type="checkbox" checked aria-label="x" class="y">')


def test_nothing_is_left_out_but_none_and_false():
    assert h("p", None, False, 0, "", "x") == "<p>0x</p>"


def test_a_title_stands_above_its_numbers():
    page = table(("Name", "Rows"), [("host", 1200)], label="Tables")
    apart = "padding: 4px 12px 4px 8px"
    assert f'<th align="right" style="{apart}" scope="col">Rows</th>' in page
    left, right = f'<td style="text-align: left; {apart}">', f'<td align="right" style="{apart}">'
    assert f"{left}host</td>{right}1,200</td>" in page


def test_one_of_a_list_is_chosen():
    page = choice([("a", "A"), ("b", "B")], "b", "pick", label="Letter")
    assert '<option value="a">A</option><option value="b" selected>B</option>' in page
