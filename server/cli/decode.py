"""``adtargeting decode``: print a whole consent string as text, or as JSON with the names of its specification.

Each line of standard input is decoded on its own: no line, whatever bytes it holds, can stop the next.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from server.cli.command import Command
from server.cli.failures import OK, Refused
from server.cli.shell import Shell, plain
from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.tcf.decode import decode_tc_string, to_json
from targeting.signals.unreadable import Unreadable
from targeting.signals.us_privacy import decode_us_privacy

Decoded = Mapping[str, object]

STANDARD_INPUT = "-"
LONGEST_LINE = 1 << 20
"""Bytes of a line that are kept; no decoder reads that many."""


def _tcf(string: str) -> Decoded:
    return to_json(decode_tc_string(string))


_DECODERS: dict[str, Callable[[str], Decoded]] = {
    "tcf": _tcf,
    "gpp": decode_gpp_string,
    "usp": decode_us_privacy,
}


def arguments(parser: ArgumentParser) -> None:
    """Declare the kind of string, and the string."""
    parser.add_argument("kind", choices=_DECODERS, help="TCF v2, GPP or US Privacy")
    parser.add_argument("string", help="the string; - reads one per line from standard input")
    parser.add_argument(
        "--json", action="store_true", help='print one JSON object per line, {"error": ...} for an unreadable string'
    )


def run(given: Namespace, shell: Shell) -> int:
    """Decode one string, or every line."""
    decode = _DECODERS[given.kind]
    if given.string == STANDARD_INPUT:
        for line in lines(sys.stdin.buffer):
            _show(shell, _decoded(decode, line), as_json=given.json)
            # The sender may wait for this answer before it sends the next line.
            shell.out.file.flush()
        return OK
    decoded = _decoded(decode, given.string)
    if given.json or "error" not in decoded:
        _show(shell, decoded, as_json=given.json)
    if "error" in decoded:
        raise Refused(f"unreadable: {decoded['error']}")
    return OK


def lines(source: BinaryIO) -> Iterator[str]:
    """Yield the lines of a stream as text; invalid UTF-8 becomes lone surrogates, which no decoder accepts."""
    while line := source.readline(LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := source.readline(LONGEST_LINE)):
            pass
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")


def readable(value: object, depth: int = 0) -> Iterator[str]:
    """Yield decoded fields as indented lines; runs of numbers are written as ranges."""
    indent = "  " * depth
    if not isinstance(value, Mapping):
        yield f"{indent}{_scalar(value)}"
        return
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{indent}{name}:"
            yield from readable(inner, depth + 1)
        elif isinstance(inner, list) and any(isinstance(item, Mapping) for item in inner):
            yield f"{indent}{name}:"
            for item in inner:
                yield from _item(item, depth + 1)
        else:
            yield f"{indent}{name}: {_scalar(inner)}"


def _item(value: object, depth: int) -> Iterator[str]:
    first, *rest = readable(value, depth)
    yield f"{'  ' * (depth - 1)}- {first.lstrip()}"
    yield from rest


def _scalar(value: object) -> str:
    if isinstance(value, list):
        # Shorter lists may hold answers, such as 0, 1 and 2, rather than ids.
        if len(value) > 3 and all(type(item) is int for item in value) and value == sorted(set(value)):
            return _ranges(value)
        return ", ".join(map(_scalar, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value)) if value not in {"", None} else "none"


def _ranges(numbers: list[int]) -> str:
    """Return ascending numbers as ranges: 1-3, 7."""
    starts = [number for index, number in enumerate(numbers) if index == 0 or numbers[index - 1] != number - 1]
    ends = [number for number, after in zip(numbers, [*numbers[1:], -1], strict=True) if after != number + 1]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def _decoded(decode: Callable[[str], Decoded], string: str) -> Decoded:
    try:
        return decode(string)
    except Unreadable as problem:
        return {"error": str(problem) or "unreadable"}
    except Exception as problem:  # noqa: BLE001  # our own bug in one line must not lose the others
        return {"error": f"internal error, {type(problem).__name__}; please report it"}


def _show(shell: Shell, decoded: Decoded, *, as_json: bool) -> None:
    if as_json:
        shell.write(json.dumps(decoded))
        return
    for line in readable(decoded):
        shell.write(line)


DECODE = Command(arguments, run)
