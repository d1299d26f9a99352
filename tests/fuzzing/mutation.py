"""Random damage to an input: what a fuzzer without coverage feedback does."""

from random import Random

_PIECES = (b"", b"\0", b"\xff", b"\xed\xa0\x80", b"-_", b";", b"=", b".", b"~", b'"', b"{", b"[", b"A" * 64, b"1" * 9)


def mutated(data: bytes, chance: Random) -> bytes:
    """Return the input with one to four flips, cuts, insertions or repetitions."""
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.randrange(1, 9))
        piece = chance.choice((*_PIECES, chance.randbytes(3), data[start:end] * 2))
        if start < len(data) and chance.random() < 0.4:
            piece, end = bytes([data[start] ^ 1 << chance.randrange(8)]), start + 1
        data = data[:start] + piece + data[chance.choice((start, end)) :]
    return data
