"""The mutants: every small change of every file in scope, with keys that outlast changes elsewhere in the file."""

import ast
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.mutation.lua_operators import lua_changes
from tests.mutation.operators import Change, apply, changes

SCOPE: Final = (
    "targeting",
    "server/choices",
    "server/calls",
    "server/canaries/guard.py",
    "server/decisions/containment.py",
    "server/decisions/group.py",
    "server/store/circuit.py",
    "server/store/drafted_key.py",
    "server/store/identity.py",
    "server/store/keys.py",
    "server/store/record_cipher.py",
    "server/store/refusals.py",
    "server/store/sealed.py",
    "server/store/trust.py",
    "server/store/redis/commit.lua",
    "server/store/redis/commit.py",
    "server/store/redis/durability.py",
    "server/store/redis/script.py",
    "server/store/redis/store.py",
)
"""The core, and what writes and guards in the server."""

_TABLES: Final = ("iab_audience_taxonomy.py", "iso3166.py", "iso3166_2.py", "continents.py")
"""Data of standards."""


class Mutant(NamedTuple):
    """One change of one file. ``scope`` is the function or class around it, ``line`` counts from 1."""

    path: str
    line: int
    scope: str
    change: Change
    occurrence: int

    @property
    def key(self) -> str:
        """Names the mutant by what it changes, not by where that stands in the file."""
        number = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.path}:{self.scope}: {self.change.what}{number}"

    def text(self, original: bytes) -> bytes:
        """Return the file with the change."""
        return apply(original, self.change)


def mutants_of(root: Path, scope: Sequence[str] = SCOPE) -> list[Mutant]:
    """Return all mutants of the files in scope, in a fixed order."""
    return [mutant for path in _files(root, scope) for mutant in _of_file(root, path)]


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return a random sample, in random order, so that any beginning of it is a sample too."""
    return random.Random(seed).sample(mutants, min(size, len(mutants)))


def _files(root: Path, scope: Sequence[str]) -> Iterator[str]:
    for name in scope:
        path = root / name
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        yield from (str(file.relative_to(root)) for file in files if file.name not in _TABLES)


def _of_file(root: Path, path: str) -> Iterator[Mutant]:
    text = (root / path).read_bytes()
    is_python = path.endswith(".py")
    scopes = _scopes(text) if is_python else {}
    seen: Counter[tuple[str, str]] = Counter()
    for change in changes(text) if is_python else lua_changes(text):
        line = text.count(b"\n", 0, change.start) + 1
        scope = scopes.get(line, "")
        seen[scope, change.what] += 1
        yield Mutant(path, line, scope, change, seen[scope, change.what])


def _scopes(text: bytes) -> dict[int, str]:
    """Return the innermost function or class around each line."""
    found: dict[int, str] = {}

    def walk(node: ast.AST, above: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = above
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{above}.{child.name}" if above else child.name
                found.update(dict.fromkeys(range(child.lineno, (child.end_lineno or child.lineno) + 1), name))
            walk(child, name)

    walk(ast.parse(text), "")
    return found
