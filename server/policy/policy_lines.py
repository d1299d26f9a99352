"""Line numbers of the keys of a TOML text, which ``tomllib`` does not report.

For messages to the author of the text. Expects a text that ``tomllib`` has accepted, so it validates nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_PART = re.compile(
    r'(?P<text>"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\')'
    r"|(?P<comment>\#[^\n]*)|(?P<line>\n)|(?P<mark>[\[\]{}=,])|(?P<word>[^\s\[\]{}=,\"'#]+)"
)
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


class _Part(NamedTuple):
    """A token, and the line that it is on."""

    text: str
    line: int


def line_of(toml: str, key: str) -> int:
    """Return the line (from 1) of a key such as ``networks[1].fields``, or of its nearest ancestor."""
    lines = dict(reversed(list(_places(toml))))
    steps = _STEP.findall(key)
    for size in range(len(steps), 0, -1):
        if line := lines.get(tuple(steps[:size])):
            return line
    return 1


def _places(toml: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the path and the line of every table, key and list item, in the order of the text."""
    table: tuple[str, ...] = ()
    lists: Counter[str] = Counter()
    for statement in _statements(toml):
        number, words = statement[0].line, [part.text for part in statement]
        if words[0] == "[":
            table = _table(words, lists)
            yield table, number
            continue
        equals = words.index("=")
        key = (*table, *_names(words[:equals]))
        yield key, number
        yield from _items(key, statement[equals + 1 :])


def _statements(toml: str) -> Iterator[list[_Part]]:
    statement: list[_Part] = []
    number, depth = 1, 0
    for found in _PART.finditer(toml + "\n"):
        if found.lastgroup == "line" and depth == 0 and statement:
            yield statement
            statement = []
        if found.lastgroup in {"text", "mark", "word"}:
            statement.append(_Part(found[0], number))
            depth += _deeper(found[0])
        number += found[0].count("\n")


def _deeper(text: str) -> int:
    return (text in {"[", "{"}) - (text in {"]", "}"})


def _table(words: list[str], lists: Counter[str]) -> tuple[str, ...]:
    """Return the path of a table header; a header below an array of tables belongs to its latest table."""
    first, *others = _names([word for word in words if word not in {"[", "]"}])
    if words[:2] == ["[", "["] and not others:
        lists[first] += 1
    return (first, f"[{lists[first] - 1}]", *others) if lists[first] else (first, *others)


def _items(key: tuple[str, ...], parts: list[_Part]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the items of a list, each with the line that it begins on."""
    index, depth, begins = 0, 0, False
    for text, number in parts:
        if begins and depth == 1 and text != "]":
            yield (*key, f"[{index}]"), number
            index, begins = index + 1, False
        depth += _deeper(text)
        begins = begins or (depth == 1 and text in {"[", ","})


def _names(words: list[str]) -> tuple[str, ...]:
    return tuple(name.strip("\"'") for name in ".".join(words).split(".") if name)
