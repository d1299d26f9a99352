"""TC strings: what a decision pays to read one and ask one question, and what the worst ones cost.

A realistic string is of 2026, discloses its vendors, and comes from a list of 1,500 vendors. Its disclosed vendors are
those of a dialogue that was seen before. ``python -m benchmarks.micro.signals_tcf`` also shows the times as they
were on a machine where a BLAKE2b without a key takes what the reference does with one.
"""

import random
from collections.abc import Callable, Iterable

from benchmarks.micro.timing import REFERENCE_US, MicroCase, plain_reference, reference, time_us
from targeting.signals.bits import MAX_LENGTH
from targeting.signals.tcf.decode import decode_tc_string
from targeting.signals.tcf.read import read_tc_string
from targeting.signals.unreadable import Unreadable

_LAZY_US, _HOSTILE_US, _RESTRICTED_US = 5.0, 200.0, 300.0
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_UPDATED = 17_800_000_000
_PURPOSE, _VENDOR = 4, 755
_NONE = "0" * 12


def cases() -> list[MicroCase]:
    """Return the name, the call and the target in µs of each case."""
    realistic = [(f"tcf: {name}", _asking(text), _LAZY_US) for name, text in _realistic().items()]
    hostile = [(f"tcf: {name}", _asking(text), _HOSTILE_US) for name, text in _hostile().items()]
    restricted = [(f"tcf: {name}", _asking(text), _RESTRICTED_US) for name, text in _restricted().items()]
    whole = _realistic()["bit fields"]
    return [*realistic, *restricted, *hostile, ("tcf: whole string", lambda: decode_tc_string(whole), _HOSTILE_US)]


def _asking(text: str) -> Callable[[], object]:
    """Read a string and ask for the basis of one vendor, as a decision does."""

    def ask() -> bool | None:
        try:
            return read_tc_string(text).has_basis(_PURPOSE, _VENDOR)
        except Unreadable:
            return None

    return ask


def _realistic() -> dict[str, str]:
    """Return strings that a consent manager writes."""
    chance = random.Random(755)
    some = sorted({_VENDOR, *chance.sample(range(1, 1501), 24)})
    few = sorted({_VENDOR, *chance.sample(range(1, 1501), 7)})
    accepted = chance.sample(range(1, 1501), 900)
    shown = "001" + _ranges([(1, 1500)])
    return {
        "bit fields": _string(_field({_VENDOR, *accepted}, 1500), _field(set(accepted[:500]), 1500), _NONE, shown),
        "all vendors": _string(_ranges([(1, 1500)]), _ranges([(1, 1500)]), _NONE, shown),
        "three ranges": _string(_ranges([(1, 290), (310, 900), (905, 1500)]), _ranges([(2, 900)]), _NONE, shown),
        "8 vendors": _string(_singles(few), _singles(few[:3]), _NONE, "001" + _singles(few)),
        "25 vendors": _string(_singles(some), _singles(some[:12]), _NONE, "001" + _singles(some)),
    }


def _restricted() -> dict[str, str]:
    """Return strings with 7 restrictions and 3,343 entries, as consent tools write that restrict vendor by vendor."""
    every_vendor = _field(set(range(1, 5000)), 5000)
    singles = [(vendor, vendor) for vendor in range(1, 2392, 5)]
    mixed = [(vendor, vendor + vendor % 2) for vendor in range(1, 2392, 5)]
    return {
        f"3,343 restricted {name}": _string(
            every_vendor,
            every_vendor,
            f"{7:012b}"
            + "".join(f"{purpose:06b}01" + _list(entries[: 477 + (purpose < 6)]) for purpose in range(2, 9)),
        )
        for name, entries in {"vendors": singles, "vendors and ranges": mixed}.items()
    }


def _hostile() -> dict[str, str]:
    """Return strings, most of 32 KiB, that no consent manager writes."""
    no_vendor, every_vendor = _field(set(), 0), _field(set(range(1, 65_536)), 65_535)
    all_singles = _singles(range(1, 4096))
    uneven = [(index, index + index % 2) for index in range(1, 91)]
    restrictions = f"{6:012b}" + "".join(f"{_PURPOSE:06b}01" + _list(uneven) for _ in range(6))
    one_each = f"{58:012b}" + "".join(f"{_PURPOSE:06b}01" + _list([(index + 1, index + 1)]) for index in range(58))
    disclosed = [_characters("001" + _ranges([*uneven[:70], (2000 + index, 2000 + index)])) for index in range(4)]
    strings = {
        "all bits set": "C".ljust(MAX_LENGTH, "_"),
        "all bits clear": "C".ljust(MAX_LENGTH, "A"),
        "dots": "C".ljust(MAX_LENGTH, "."),
        "illegal at the end": "C".ljust(MAX_LENGTH - 1, "A") + "!",
        "two bit fields of 65,535": _string(every_vendor, every_vendor, _NONE),
        "4,095 single ids twice": _string(all_singles, all_singles, _NONE),
        "4,095 ranges": _string(_ranges([(1, 65_535)] * 4095), no_vendor, _NONE),
        "4,095 uneven entries": _string(
            _ranges([(index, index + index % 2) for index in range(1, 4096)]), no_vendor, _NONE
        ),
        "90 uneven entries, three times": _string(_ranges(uneven), _ranges(uneven), _NONE, "001" + _ranges(uneven)),
        "540 restricted ranges": _string(every_vendor, no_vendor, restrictions),
        "58 restrictions": _string(every_vendor, no_vendor, one_each),
    }
    repeated = ".".join([_string(_ranges(uneven), _ranges(uneven), _NONE), *disclosed])
    longest = {f"32 KiB: {name}": text.ljust(MAX_LENGTH, "A") for name, text in strings.items()}
    return {**longest, "five segments of uneven entries": repeated}


def _string(consents: str, interests: str, restrictions: str, disclosed: str = "") -> str:
    """Write a string that consents to every purpose."""
    widths = ((2, 6), (_UPDATED, 36), (_UPDATED, 36), (31, 12), (7, 12), (1, 6), (4, 6), (13, 6), (126, 12), (5, 6))
    head = "".join(f"{value:0{width}b}" for value, width in widths)
    core = head + "10" + "0" * 12 + "1" * 48 + "0" + "000011000100" + consents + interests + restrictions
    return ".".join(_characters(bits) for bits in (core, disclosed) if bits)


def _characters(bits: str) -> str:
    bits += "0" * (-len(bits) % 6)
    return "".join(_ALPHABET[int(bits[index : index + 6], 2)] for index in range(0, len(bits), 6))


def _field(vendors: set[int], max_id: int) -> str:
    return f"{max_id:016b}0" + "".join("1" if vendor in vendors else "0" for vendor in range(1, max_id + 1))


def _singles(vendors: Iterable[int]) -> str:
    return _ranges([(vendor, vendor) for vendor in vendors])


def _ranges(ranges: list[tuple[int, int]]) -> str:
    return f"{ranges[-1][1]:016b}1" + _list(ranges)


def _list(ranges: list[tuple[int, int]]) -> str:
    return f"{len(ranges):012b}" + "".join(
        f"0{first:016b}" if first == last else f"1{first:016b}{last:016b}" for first, last in ranges
    )


def main() -> None:
    """Print every case next to the references, which are measured again for each."""
    print(f"{'':48} {'median µs':>10} {'scaled':>8} {'unkeyed':>8} {'target':>8}")
    for name, call, target in cases():
        took = time_us(call, 15)
        keyed, plain = (time_us(each, 15) for each in (reference, plain_reference))
        scaled = took * REFERENCE_US
        print(f"{name:48} {took:10.2f} {scaled / keyed:8.2f} {scaled / plain:8.2f} {target:8g}")


if __name__ == "__main__":
    main()
