"""What the toolkit's messages say in Python, said as one would type it in a shell."""

from __future__ import annotations

import re

_IN_A_SHELL = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r" \(frame\.attrs\.clear\(\) [^)]*\)", ""),
        (r" See plan\.check\(\)\.problems;", ""),
        (r"; see \.(?:problems|conflicts)\b", ""),
        (r"; all of them in \.frame\(\)", ""),
        (r"; fetch\(\) names them", ""),
        (r", SIS_TOKEN or client\.authenticate\(\)", " or SIS_TOKEN"),
        (
            r" or client\.username to its owner, or log in with client\.authenticate\(\)",
            " to its owner, or `sispy login`",
        ),
        (r"give client=sispy\.Client\('([^']*)'[^)]*\)", r"give --url \1"),
        (r"\bsp\.resume\('([^']*)'\)(?:\.push\(\))?", r"`sispy resume \1`"),
        (r"\bsp\.undo\('([^']*)'\)", r"`sispy undo \1`"),
        (r"\breport\.verify\(\)", "`sispy verify`"),
        (r"\bagain=True\b", "--again"),
        (r"\bsp\.resume(?:\(path\))?", "`sispy resume`"),
        (r"\brename=\{'([^']*)': '([^']*)'\}", r'--rename "\1=\2"'),
        (
            r"\b(create_missing|skip_problems|allow_dangling|write_back|accept_program_changes)=True\b",
            r"--\1",
        ),
        (r"\bexpect_deletes=(\d+)", r"--expect-deletes \1"),
        (r"\b(key|guard|base|keep|copies|on_conflict)='([^']*)'", r"--\1 \2"),
        (r"--base now\b", "--base-now"),
        (r"\bgive url=", "give --url"),
        (r"\buse authenticate\(\) to log in", "`sispy login` logs in"),
        (r"\bknown= takes\b", "--known FILE takes"),
        (r", or give encoding=", ""),
        (r"\bsheet=(?=$|[\s,])", "--sheet"),
        (r"\bfields=(?=$|[\s,])", "--fields"),
        (r"\ba column of the frame\b", "a column of the file"),
        (r"\bno column of the frame\b", "no column of the file"),
        (r"\bin the frame more than once\b", "in the file more than once"),
    )
)
_OPTION = re.compile(r"--[a-z_]+")


def in_a_shell(text: str) -> str:
    """Return a message with the options of the command line instead of arguments and calls.

    >>> in_a_shell("2 rows match nothing and are left out: a, b (create_missing=True makes them)")
    '2 rows match nothing and are left out: a, b (--create-missing makes them)'
    """
    for pattern, words in _IN_A_SHELL:
        text = pattern.sub(words, text)
    return _OPTION.sub(lambda option: option[0].replace("_", "-"), text)
