"""The changes that are tried, and what is left alone."""

import pytest

from tests.mutation.lua_operators import lua_changes
from tests.mutation.operators import apply, changes


def mutated(source: str) -> list[str]:
    text = source.encode()
    return [apply(text, change).decode() for change in changes(text)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", ["a <= b"]),
        ("a not in b", ["a in b"]),
        ("a is None", ["a is not None"]),
        ("now_s < b", ["now_s <= b"]),
        ("time.monotonic() == b", ["time.monotonic() != b"]),
        ("FIRST = TABLE[a, b]", ["FIRST = TABLE[ b]", "FIRST = TABLE[a, ]"]),
        ("a == b == c", ["a != b == c", "a == b != c"]),
        ("a and b", ["True and b", "a or b", "a and True"]),
        ("not a", ["(a)"]),
        ("a | b", ["a & b"]),
        ("y = any(a)", ["y = all(a)"]),
        ("y = max(a, b)", ["y = min(a, b)", "y = max( b)", "y = max(a, )"]),
        ("y = f(a, b=c)", ["y = f(a, )"]),
        ("y = f(b, b=b)", ["y = f(b, )"]),
        ("y = zip(a, b, strict=True)", ["y = zip(a, b, strict=False)"]),
        ("x = 7", ["x = (7+1)", "x = (7-1)"]),
        ("x = True", ["x = False"]),
        ("[a, *b]", ["[ *b]", "[a, ]"]),
        ("x |= y", ["pass"]),
        ("if a: b()", ["if True: b()", "if False: b()", "if a: pass"]),
        ("[x for x in y if x]", ["[x for x in y if True]", "[x for x in y if False]"]),
        ("raise e", ["pass"]),
        ("for x in y:\n  break", ["for x in y:\n  continue"]),
    ],
)
def test_a_change(source: str, expected: list[str]) -> None:
    assert sorted(mutated(source)) == sorted(expected)


@pytest.mark.parametrize(
    "source",
    [
        '"""A text."""',
        "from a import b, c",
        "def f(x: tuple[int, str]) -> dict[str, int]: ...",
        '_LOG.info("%s", a)',
        'f"{a + 1}"',
        "assert a < b",
        'T = TypeVar("T", covariant=True)',
        "def __repr__(self): return 1",
        "x = 'text'",
        "Pairs = Sequence[tuple[str, int]]",
        "_Answer = Yes | No",
        "time.monotonic() >= y",
    ],
)
def test_what_says_nothing_about_behaviour_is_left_alone(source: str) -> None:
    assert mutated(source) == []


def test_a_change_of_a_script() -> None:
    text = b"-- a == b\nif size > 12 and ok then return '' end"
    changed = [apply(text, change).decode().partition("\n")[2] for change in lua_changes(text)]
    assert changed == [
        "if false then return '' end",
        "if true then return '' end",
        "if size >= 12 and ok then return '' end",
        "if size > 11 and ok then return '' end",
        "if size > 13 and ok then return '' end",
        "if size > 12 or ok then return '' end",
        "if size > 12 and ok then return 'x' end",
    ]
