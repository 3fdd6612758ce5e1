"""In which encoding a file is: told by its bytes, by the user, or by the cells that nobody touched."""

import pytest

from sispy_pandas.formats.encodings import EncodingUnknown, decode, own_encoding, read_once

TABLE = "name;city\nw1;Düren\nw2;Orléans\n"


@pytest.mark.parametrize(
    ("data", "encoding", "text", "guess"),
    [
        ("é".encode(), None, "é", None),
        *((TABLE.encode(name), None, TABLE, None) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32")),
        *((TABLE.encode(name), name, TABLE, None) for name in ("utf-16-le", "utf-16-be")),
        *((TABLE.encode(name), None, TABLE, f"read as {name}") for name in ("utf-16-le", "utf-16-be")),
        (b"\xe9", None, "é", "read as Windows-1252"),
        (TABLE.encode("cp1252"), None, TABLE, "read as Windows-1252"),
        (
            b"\x93It\x92s 5 \x80\x94 \x8cuvre\x85",
            None,
            "“It\N{RIGHT SINGLE QUOTATION MARK}s 5 €” Œuvre…",
            "read as Windows-1252",
        ),
        (b"\xe9", "latin-1", "é", None),
    ],
)
def test_the_encoding_is_told_by_the_bytes(data, encoding, text, guess):
    found, used, guessed = decode(data, "a.csv", encoding)

    assert (found, guessed and guessed.what.rpartition(": it was ")[2]) == (text, guess)
    assert data.decode(used) == text


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\xff",
        "name;Größe\nw1;groß und für\n".encode("cp437"),
        "имя;город\nw1;Москва\n".encode("cp1251"),
        "名前;サーバ名\n".encode("cp932"),
        "name\nVérité\n".encode("mac_roman")[:-2] + b"\x8f",
    ],
)
def test_what_is_surely_not_windows_1252_is_refused(data):
    with pytest.raises(EncodingUnknown, match="neither UTF-8 nor Windows-1252: save it as UTF-8"):
        decode(data, "a.csv", None)


@pytest.mark.parametrize("text", ["wéb1", "Köln \N{EN DASH} Bahnhof", "Москва", "àÍ", "5 €", "名前"])
def test_utf_8_that_was_read_as_windows_1252_is_known_for_it(text):
    bytes_as_read = "".join(bytes([one]).decode("cp1252", "ignore") or chr(one) for one in text.encode())

    assert (read_once(bytes_as_read), read_once(text)) == (text, None)


@pytest.mark.parametrize("text", ["Ã", "Ä\N{EN DASH}Ö", "Â°C für", "à la «carte»", "à\x80\x80", "plain"])
def test_letters_that_are_meant_are_no_bytes(text):
    assert read_once(text) is None


def test_a_damaged_text_in_utf_8_is_no_windows_1252():
    data = "name\nMünchen\nKöln\nDüren\n".encode().replace("ö".encode(), b"\xc3")

    with pytest.raises(EncodingUnknown) as refused:
        decode(data, "a.csv", None)

    assert str(refused.value) == (
        "a.csv, line 3: text in UTF-8 that was damaged; encoding= says in which one it is"
    )


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (b"ok\n\xff", "ascii", "a.csv is not in the encoding ascii: line 2"),
        (b"x", "klingon", "there is no encoding 'klingon'"),
    ],
)
def test_what_was_told_is_not_guessed(data, encoding, reason):
    with pytest.raises(ValueError, match=reason):
        decode(data, "a.csv", encoding)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "cp1251", "cp850", "mac_roman", "cp932", "gb18030"])
def test_cells_that_nobody_touched_tell_the_encoding(encoding):
    words = {
        "cp1250": "Łódź Plzeň Gdańsk Košice Győr Świnoujście",
        "cp1251": "Москва Тверь Омск Пермь Казань Сочи",
        "cp932": "東京 大阪 京都 札幌 福岡 神戸",
        "gb18030": "北京 上海 广州 深圳 成都 武汉",
    }.get(encoding, "Düren Köln Orléans Zürich Málaga São")
    texts = words.split()
    cells = {(text.encode(encoding).decode("latin-1"), text): 1 for text in texts}

    assert own_encoding(cells, (), 5, 0.95) == encoding
    assert own_encoding(dict(list(cells.items())[:4]), (), 5, 0.95) is None
    others = zip([cell for cell, _ in cells], texts[::-1], strict=True)
    assert own_encoding(dict.fromkeys(others, 1), (), 5, 0.95) is None


def test_words_for_false_and_blanks_between_thousands_tell_it_too():
    polish = {("FA\u00a3SZ", False): 20, ("PRAWDA", True): 9}
    french = {("1\u00a0234,5", 1234.5): 20}

    assert own_encoding(polish, ["Za\xbf\xf3\xb3\xe6"], 5, 0.95) == "cp1250"
    assert own_encoding(french, [], 5, 0.95) == "cp1252"
    assert own_encoding(french, ["gepr\xfcft"], 5, 0.95) is None  # as it may be of another script


@pytest.mark.parametrize("edits", [["\u0165uk\u00e1"], ["Hul\u0165", "Bou\u0159e \u0165uk\u00e1", "Kvas"]])
def test_letters_in_edited_cells_alone_decide_between_what_untouched_cells_leave_open(edits):
    untouched = [f"M\u00fcller {n}" for n in range(12)]

    def raw(text: str) -> str:
        return text.encode("cp1250").decode("latin-1")

    cells = {(raw(text), text): 1 for text in untouched}
    cells |= {(raw(edit), f"was {n}"): 1 for n, edit in enumerate(edits)}

    assert own_encoding(cells, {cell for cell, _ in cells}, 5, 0.95) == "cp1250"


def test_letters_in_edited_cells_that_several_encodings_have_leave_doubt():
    cells = {(f"M\u00fcller {n}", f"M\u00fcller {n}"): 1 for n in range(12)} | {("x\u00fey", "old"): 1}

    assert own_encoding(cells, {cell for cell, _ in cells}, 5, 0.95) is None


def test_more_edits_than_untouched_cells_tell_no_encoding():
    cells = {(f"M\u00fcller {n}", f"M\u00fcller {n}"): 1 for n in range(6)}
    cells |= {(f"\u00fc{n}", f"old {n}"): 1 for n in range(7)}

    assert own_encoding(cells, {cell for cell, _ in cells}, 5, 0.95) is None
