"""Small changes of the Lua scripts that the store runs, as of ``tests.mutation.operators``."""

import re
from typing import Final

from tests.mutation.operators import Change

_COMMENT: Final = re.compile(rb"--[^\n]*")
_TOKENS: Final = re.compile(rb"==|~=|>=|<=|[<>]|\b(?:and|or|not|true|false)\b|\b\d+\b|'s'|'d'|''")
_SWAPS: Final = {
    b"==": (b"~=",),
    b"~=": (b"==",),
    b">": (b">=",),
    b"<": (b"<=",),
    b">=": (b">",),
    b"<=": (b"<",),
    b"and": (b"or",),
    b"or": (b"and",),
    b"not": (b"",),
    b"true": (b"false",),
    b"false": (b"true",),
    b"'s'": (b"'k'",),
    b"'d'": (b"'k'",),
    b"''": (b"'x'",),
}
_CONDITIONS: Final = re.compile(rb"\bif (.*?) then\b", re.DOTALL)
_ARGUMENTS: Final = re.compile(rb", 'EX', ARGV\[[^]]*\]")


def lua_changes(text: bytes) -> list[Change]:
    """Return every change of a script, in order."""
    code = _COMMENT.sub(lambda comment: b" " * len(comment[0]), text)
    found = []
    for token in _TOKENS.finditer(code):
        old = token[0]
        news = _SWAPS.get(old) or (b"%d" % (int(old) + 1), b"%d" % (int(old) - 1))
        found += [Change(*token.span(), new, f"{old.decode()} -> {new.decode()}") for new in news]
    for condition in _CONDITIONS.finditer(code):
        words = " ".join(condition[1].decode().split())
        found += [Change(*condition.span(1), new, f"{new.decode()} for: {words}") for new in (b"true", b"false")]
    found += [Change(*expiry.span(), b"", "expiry dropped") for expiry in _ARGUMENTS.finditer(code)]
    return sorted(found)
