"""Small changes of Python source, each of which a test should notice.

A change replaces a span of bytes. Left alone is what says nothing about behaviour: docstrings, annotations, texts of
errors and logs, default texts of metrics, what only a type checker reads, and whether a moment of the running clock
itself is before or after a border, as no test can stop the clock there.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple


class Change(NamedTuple):
    """Replace ``source[start:end]`` by ``new``; ``what`` says so in words that do not depend on the place."""

    start: int
    end: int
    new: bytes
    what: str


_COMPARISONS: Final = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
_ARITHMETIC: Final = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
    ast.BitXor: ("^", "|"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
_BORDERS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_CLOCK: Final = "time.monotonic()"
_TYPE_NAME: Final = re.compile(r"_?[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
_MAY_NOT_COMPILE: Final = (b"", b"pass", b"break", b"continue")
_CALLS: Final = {"any": "all", "all": "any", "min": "max", "max": "min"}


class _Source:
    """Source with the offsets of its nodes."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._lines = [0]
        for line in text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def of(self, node: ast.expr | ast.stmt) -> bytes:
        return self.text[self.start(node) : self.end(node)]

    def operator(self, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Change]:
        """Yield the change of an operator between two operands."""
        start, end = self.end(left), self.start(right)
        pattern = rb"\b%b\b" if old[0].isalpha() else rb"%b"
        found = re.search(pattern % re.escape(old.encode()).replace(rb"\ ", rb"\s+"), self.text[start:end])
        if found is not None:
            what = f"{old} -> {new} in: {_text(self.of(left))} {old} {_text(self.of(right))}"
            yield Change(start + found.start(), start + found.end(), new.encode(), what)

    def replaced(self, node: ast.expr | ast.stmt, new: bytes, what: str) -> Change:
        return Change(self.start(node), self.end(node), new, what)


def changes(text: bytes) -> list[Change]:
    """Return every change of a module's source, in order, each of which still compiles."""
    source = _Source(text)
    found = {change for node in _behaviour(ast.parse(text)) for change in _of_node(node, source)}
    return sorted(change for change in found if _compiles(text, change))


def apply(text: bytes, change: Change) -> bytes:
    """Return the changed source."""
    return text[: change.start] + change.new + text[change.end :]


def _compiles(text: bytes, change: Change) -> bool:
    if change.new not in _MAY_NOT_COMPILE:
        return True
    try:
        compile(apply(text, change), "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _behaviour(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that behaviour depends on."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _says_nothing(child):
                yield from _behaviour(child)


def _says_nothing(node: ast.AST) -> bool:
    """Whether a node is a docstring, a text for people, an import, or an alias of a type."""
    match node:
        case (
            ast.Expr(value=ast.Constant())
            | ast.Import()
            | ast.ImportFrom()
            | ast.JoinedStr()
            | ast.Assert()
            | ast.FunctionDef(name="__repr__")
            | ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "NewType")))
            | ast.AnnAssign(annotation=ast.Name(id="TypeAlias"))
            | ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="_LOG" | "logging"))))
        ):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.BinOp()):
            return _TYPE_NAME.fullmatch(name) is not None
    return False


def _of_node(node: ast.AST, source: _Source) -> Iterator[Change]:
    yield from _of_statement(node, source) if isinstance(node, ast.stmt) else _of_expression(node, source)


def _of_statement(node: ast.stmt, source: _Source) -> Iterator[Change]:
    match node:
        case ast.If() | ast.While():
            yield from _condition(node.test, source)
        case ast.AugAssign() | ast.Expr(value=ast.Call()) | ast.Raise():
            yield source.replaced(node, b"pass", f"dropped: {_text(source.of(node))}")
        case ast.Break():
            yield source.replaced(node, b"continue", "break -> continue")
        case ast.Continue():
            yield source.replaced(node, b"break", "continue -> break")


def _of_expression(node: ast.AST, source: _Source) -> Iterator[Change]:
    match node:
        case ast.Compare() | ast.BinOp():
            yield from _operators(node, source)
        case ast.BoolOp():
            yield from _boolean(node, source)
        case ast.UnaryOp(op=ast.Not()):
            yield source.replaced(node, b"(%b)" % source.of(node.operand), f"not dropped: {_text(source.of(node))}")
        case ast.Constant():
            yield from _constant(node, source)
        case ast.Call():
            yield from _call(node, source)
        case ast.IfExp():
            yield from _condition(node.test, source)
        case ast.comprehension():
            yield from (change for test in node.ifs for change in _condition(test, source))
        case ast.Tuple(ctx=ast.Load()) | ast.List(ctx=ast.Load()) | ast.Set():
            yield from _left_out(node.elts, source)


def _operators(node: ast.Compare | ast.BinOp, source: _Source) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        if type(node.op) in _ARITHMETIC:
            yield from source.operator(node.left, node.right, *_ARITHMETIC[type(node.op)])
        return
    operands = [node.left, *node.comparators]
    reads_clock = any(_CLOCK in ast.unparse(operand) for operand in operands)
    for index, operator in enumerate(node.ops):
        if reads_clock and isinstance(operator, _BORDERS):
            continue
        yield from source.operator(operands[index], operands[index + 1], *_COMPARISONS[type(operator)])


def _boolean(node: ast.BoolOp, source: _Source) -> Iterator[Change]:
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield from source.operator(left, right, old, new)
    for value in node.values:
        neutral = b"True" if old == "and" else b"False"
        yield source.replaced(value, neutral, f"operand dropped: {_text(source.of(value))}")


def _constant(node: ast.Constant, source: _Source) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield source.replaced(node, repr(not node.value).encode(), f"{node.value} -> {not node.value}")
    elif isinstance(node.value, int | float):
        yield source.replaced(node, b"(%b+1)" % source.of(node), f"{_text(source.of(node))} + 1")
        yield source.replaced(node, b"(%b-1)" % source.of(node), f"{_text(source.of(node))} - 1")


def _call(node: ast.Call, source: _Source) -> Iterator[Change]:
    if isinstance(node.func, ast.Name) and (other := _CALLS.get(node.func.id)):
        yield source.replaced(node.func, other.encode(), f"{node.func.id} -> {other}")
        yield from _left_out([argument for argument in node.args if not isinstance(argument, ast.Constant)], source)
    for keyword in node.keywords:
        # Without ``strict`` a zip is as with ``strict=False``, which is tried.
        if keyword.arg not in {None, "strict"}:
            # The value is preceded by the name.
            start = source.text.rfind(keyword.arg.encode(), 0, source.start(keyword.value))
            yield _without(start, source.end(keyword.value), source)


def _condition(test: ast.expr, source: _Source) -> Iterator[Change]:
    text = _text(source.of(test))
    yield source.replaced(test, b"True", f"True for: {text}")
    yield source.replaced(test, b"False", f"False for: {text}")


def _left_out(elements: Sequence[ast.expr], source: _Source) -> Iterator[Change]:
    """Yield the display, or the call, without one of its elements: one of several sources of a fact."""
    if len(elements) > 1:
        for element in elements:
            if not isinstance(element, ast.Constant):
                yield _without(source.start(element), source.end(element), source)


def _without(start: int, end: int, source: _Source) -> Change:
    comma = re.match(rb"\s*,", source.text[end:])
    return Change(start, end + (comma.end() if comma else 0), b"", f"left out: {_text(source.text[start:end])}")


def _text(source: bytes) -> str:
    return " ".join(source.decode().split())
