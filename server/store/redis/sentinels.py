"""Asking sentinels for the primary that they watch, and for the replicas that they could promote.

Every sentinel is asked, through redis-py, on threads of their own: one that does not answer delays no caller once
a majority agrees. Invariant: a replica is left out only when a majority of the sentinels takes it to be down.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from server.store.ports import StoreUnreachable
from server.store.redis.url import RedisAddress, TlsOptions

_TIMEOUT_S = 0.5
_LINGER_S = 0.1
"""How long the other sentinels are waited for once a majority agrees: one of them may know of a newer primary."""
_DOWN = ("is_sdown", "is_odown")

Server = tuple[str, int]


class Report(NamedTuple):
    """What one sentinel says: the primary and the epoch in which it became that, its replicas, its fellows."""

    primary: Server
    epoch: int
    sentinels: int
    """How many watch the primary, this one included."""
    replicas: frozenset[Server]
    down: frozenset[Server] = frozenset()
    """Those of the replicas that it takes to be down."""


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Sentinels, and the name of the primary that they watch. ``primary`` has everything but host and port.

    Where the primary is reached by TLS, the sentinels are too.
    """

    sentinels: tuple[Server, ...]
    name: str
    primary: RedisAddress
    login: dict[str, str] = field(default_factory=dict, repr=False)
    """User and password at the sentinels, as redis-py names them."""

    def resolve(self) -> RedisAddress:
        """Ask the sentinels for the primary. Raises ``StoreUnreachable``."""
        reports = list(_collected([partial(self._report, server) for server in self.sentinels]))
        if not reports:
            raise StoreUnreachable(f"no sentinel names a primary of {self.name}")
        (host, port), promotable = judge(reports, len(self.sentinels))
        return replace(self.primary, host=host, port=port, promotable=promotable)

    def _report(self, server: Server) -> Report | None:
        """Ask one sentinel; None when it does not answer, or knows of no primary that is up."""
        # Only services with sentinels pay for the import.
        from redis import Redis  # noqa: PLC0415  # as above

        options: dict[str, Any] = {"socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S}
        options["decode_responses"] = True
        options |= self.login | _tls_arguments(self.primary.tls)
        try:
            with Redis(*server, **options) as sentinel:
                # While the sentinel fails over, this one names the new primary first.
                named = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", self.name)
                watched = sentinel.sentinel_masters().get(self.name)
                if named is None or watched is None:
                    return None
                return _read_report(named, watched, sentinel.sentinel_slaves(self.name))
        except Exception:  # noqa: BLE001  # an answer of another form, which redis-py fails on in any way, is none
            return None

    def __str__(self) -> str:
        """Return the URL without user, password and options."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.sentinels)
        scheme = "redis+sentinel" if self.primary.tls is None else "rediss+sentinel"
        return f"{scheme}://{hosts}/{self.name}/{self.primary.database}"


def judge(reports: Collection[Report], sentinels: int) -> tuple[Server, int]:
    """Return the primary of the newest epoch, and how many replicas could be promoted in its place.

    ``sentinels`` is how many there are by the URL; each report may know of more.
    """
    newest = max(reports, key=lambda report: report.epoch)
    agreeing = [report for report in reports if report.primary == newest.primary]
    total = max(sentinels, *(report.sentinels for report in agreeing))
    known = frozenset().union(*(report.replicas for report in agreeing))
    if 2 * len(agreeing) > total:
        known -= frozenset.intersection(*(report.down for report in agreeing))
    return newest.primary, len(known)


def _collected(questions: Collection[Callable[[], Report | None]]) -> Iterator[Report]:
    """Yield the reports: all that come in time, without waiting long for the rest once a majority agrees."""
    answers: SimpleQueue[Report | None] = SimpleQueue()
    for question in questions:
        threading.Thread(target=_answer, args=(question, answers), name="sentinel", daemon=True).start()
    deadline_s = time.monotonic() + 2 * _TIMEOUT_S
    primaries: list[Server] = []
    for _ in questions:
        try:
            report = answers.get(timeout=max(deadline_s - time.monotonic(), 0))
        except Empty:
            return
        if report is None:
            continue
        yield report
        primaries.append(report.primary)
        if 2 * primaries.count(report.primary) > len(questions):
            deadline_s = min(deadline_s, time.monotonic() + _LINGER_S)


def _answer(question: Callable[[], Report | None], answers: "SimpleQueue[Report | None]") -> None:
    report = None
    try:
        report = question()
    finally:
        answers.put(report)


def _is_down(state: dict[str, Any]) -> bool:
    return any(state[flag] for flag in _DOWN)


def _read_report(named: Server, watched: dict[str, Any], replicas: list[dict[str, Any]]) -> Report | None:
    """Return the report; None when the primary is down and no other is named yet."""
    states = {_server(state): state for state in (watched, *replicas)}
    if named == _server(watched) and _is_down(watched):
        return None
    return Report(
        primary=named,
        epoch=watched["config-epoch"],
        sentinels=watched["num-other-sentinels"] + 1,
        # The former primary is one that could be promoted again.
        replicas=frozenset(states) - {named},
        down=frozenset(server for server, state in states.items() if _is_down(state)) - {named},
    )


def _server(state: dict[str, Any]) -> Server:
    return state["ip"], state["port"]


def _tls_arguments(tls: TlsOptions | None) -> dict[str, object]:
    """Return the options of TLS as redis-py names them."""
    if tls is None:
        return {}
    return {
        "ssl": True,
        "ssl_ca_certs": tls.ca_certs or None,
        "ssl_certfile": tls.certfile or None,
        "ssl_keyfile": tls.keyfile or tls.certfile or None,
        "ssl_check_hostname": tls.check_hostname,
    }
