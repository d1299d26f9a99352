"""``adtargeting decode``: a whole consent string, readable, or as JSON with the names of its specification.

Of standard input each line is decoded on its own, whatever bytes it holds: no line can stop the next.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from server.cli.command import Command
from server.cli.failures import OK, Refused
from server.cli.shell import Shell, plain
from targeting.signals import us_privacy
from targeting.signals.gpp import decode as gpp_full
from targeting.signals.tcf import decode as tcf_full
from targeting.signals.unreadable import Unreadable

Decoded = Mapping[str, object]

STANDARD_INPUT = "-"
LONGEST_LINE = 1 << 20
"""Bytes of a line that are kept; no decoder reads as many."""


def _tcf(string: str) -> Decoded:
    return tcf_full.to_json(tcf_full.decode(string))


_DECODERS: dict[str, Callable[[str], Decoded]] = {"tcf": _tcf, "gpp": gpp_full.decode, "usp": us_privacy.decode}


def arguments(parser: ArgumentParser) -> None:
    """Take the kind of string, and the string."""
    parser.add_argument("kind", choices=_DECODERS, help="TCF v2, GPP or US Privacy")
    parser.add_argument("string", help="the string; - reads one a line from standard input")
    parser.add_argument(
        "--json", action="store_true", help='print one JSON object a line, {"error": ...} for what is unreadable'
    )


def run(given: Namespace, shell: Shell) -> int:
    """Decode one string, or every line."""
    decode = _DECODERS[given.kind]
    if given.string == STANDARD_INPUT:
        for line in lines(sys.stdin.buffer):
            _show(shell, _decoded(decode, line), as_json=given.json)
            # Whoever sent the line may wait for the answer before the next.
            shell.out.file.flush()
        return OK
    decoded = _decoded(decode, given.string)
    if given.json or "error" not in decoded:
        _show(shell, decoded, as_json=given.json)
    if "error" in decoded:
        raise Refused(f"unreadable: {decoded['error']}")
    return OK


def lines(source: BinaryIO) -> Iterator[str]:
    """Give the lines of a stream as text; bytes that are not UTF-8 become lone surrogates, which nothing accepts."""
    while line := source.readline(LONGEST_LINE):
        rest = line
        while not rest.endswith(b"\n") and (rest := source.readline(LONGEST_LINE)):
            pass
        yield line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "surrogateescape")


def readable(value: object, depth: int = 0) -> Iterator[str]:
    """Give decoded fields as indented lines; runs of numbers are written as ranges."""
    indent = "  " * depth
    if not isinstance(value, Mapping):
        yield f"{indent}{_scalar(value)}"
        return
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            yield f"{indent}{name}:"
            yield from readable(inner, depth + 1)
        elif isinstance(inner, list) and any(isinstance(each, Mapping) for each in inner):
            yield f"{indent}{name}:"
            for each in inner:
                yield from _item(each, depth + 1)
        else:
            yield f"{indent}{name}: {_scalar(inner)}"


def _item(value: object, depth: int) -> Iterator[str]:
    first, *rest = readable(value, depth)
    yield f"{'  ' * (depth - 1)}- {first.lstrip()}"
    yield from rest


def _scalar(value: object) -> str:
    if isinstance(value, list):
        # Shorter lists may be answers, such as 0, 1 and 2, rather than ids.
        if len(value) > 3 and all(type(each) is int for each in value) and value == sorted(set(value)):
            return _ranges(value)
        return ", ".join(map(_scalar, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(str(value)) if value not in {"", None} else "none"


def _ranges(numbers: list[int]) -> str:
    """Write ascending numbers shortly: 1-3, 7."""
    starts = [each for at, each in enumerate(numbers) if at == 0 or numbers[at - 1] != each - 1]
    ends = [each for at, each in enumerate(numbers) if at + 1 == len(numbers) or numbers[at + 1] != each + 1]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))


def _decoded(decode: Callable[[str], Decoded], string: str) -> Decoded:
    try:
        return decode(string)
    except Unreadable as problem:
        return {"error": str(problem) or "unreadable"}
    except Exception as problem:  # noqa: BLE001  # a fault of ours in one line must not lose the others
        return {"error": f"internal error, {type(problem).__name__}; please report it"}


def _show(shell: Shell, decoded: Decoded, *, as_json: bool) -> None:
    if as_json:
        shell.write(json.dumps(decoded))
        return
    for line in readable(decoded):
        shell.write(line)


DECODE = Command(arguments, run)
