"""``python -m benchmarks.capacity --decisions-per-second 1e6 --profiles 5e8``: what a deployment needs.

Plain arithmetic over unit costs; each assumption is an option whose default was measured (docs/capacity.md). Pass the
figures of ``make bench`` on your own machine for a better answer.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields

_GIB = 1 << 30
_MIB = 1 << 20
_MICRO = 1e-6
_LARGEST_SHARD_GIB = 25
"""A larger shard takes minutes to load after a restart, and as long to copy to a replica."""


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What one of each thing costs. The defaults were measured on the machine of docs/capacity.md."""

    decision_cpu_us: float = 93.0
    """CPU of one ``Decide`` in a worker process at 64 in flight, store access included, in µs."""
    store_cpu_us: float = 7.0
    """CPU of the store for the records of one decision, in µs."""
    subjects: float = 2.0
    """Subjects whose records one decision reads: the account and the device."""
    person_bytes: float = 773.0
    """Bytes of the store for one person: profile, preference record and keys."""
    process_mib: float = 107.0
    """Resident memory of one worker process, in MiB."""
    request_bytes: float = 420.0
    answer_bytes: float = 1_080.0
    """Bytes of a request and of an answer on the wire, framing included."""
    record_bytes: float = 600.0
    """Bytes that the store sends for one subject that has a profile."""
    utilisation: float = 0.5
    """How busy processes and shards may be: at half the knee the tail stays within the budget."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is needed: whole processes and shards; memory in GiB; network in Gbit/s."""

    processes: int
    process_memory_gib: float
    shards: int
    shard_memory_gib: float
    caller_gbit_s: float
    store_gbit_s: float


def capacity(decisions_per_second: float, profiles: float, costs: UnitCosts) -> Capacity:
    """Return what a load needs, without replicas of the store."""
    processes = math.ceil(decisions_per_second * costs.decision_cpu_us * _MICRO / costs.utilisation)
    busy_shards = math.ceil(decisions_per_second * costs.store_cpu_us * _MICRO / costs.utilisation)
    memory = profiles * costs.person_bytes
    shards = max(busy_shards, math.ceil(memory / (_LARGEST_SHARD_GIB * _GIB)))
    return Capacity(
        processes=processes,
        process_memory_gib=processes * costs.process_mib * _MIB / _GIB,
        shards=shards,
        shard_memory_gib=memory / shards / _GIB,
        caller_gbit_s=decisions_per_second * (costs.request_bytes + costs.answer_bytes) * 8 / 1e9,
        store_gbit_s=decisions_per_second * costs.subjects * costs.record_bytes * 8 / 1e9,
    )


def main(arguments: Sequence[str]) -> int:
    """Print the answer and every assumption."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.capacity", description="Compute what a deployment needs."
    )
    parser.add_argument("--decisions-per-second", type=_positive, required=True, metavar="N")
    parser.add_argument("--profiles", type=_positive, required=True, metavar="N", help="people with a profile")
    for cost in fields(UnitCosts):
        parser.add_argument(f"--{cost.name.replace('_', '-')}", type=_positive, default=cost.default, metavar="N")
    options = vars(parser.parse_args(arguments))
    costs = UnitCosts(**{cost.name: options[cost.name] for cost in fields(UnitCosts)})
    needed = capacity(options["decisions_per_second"], options["profiles"], costs)
    sys.stdout.write(_text(needed, costs))
    return 0


def _text(needed: Capacity, costs: UnitCosts) -> str:
    assumed = "\n".join(f"  {cost.name.replace('_', ' '):<20}{getattr(costs, cost.name):g}" for cost in fields(costs))
    return f"""\
worker processes      {needed.processes:,}, a core each, {needed.process_memory_gib:,.1f} GiB in all
primaries of Redis    {needed.shards:,}, a core and {needed.shard_memory_gib:,.1f} GiB each; the same again a replica
network, callers      {needed.caller_gbit_s:,.2f} Gbit/s
network, store        {needed.store_gbit_s:,.2f} Gbit/s
assumed:
{assumed}
"""


def _positive(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
