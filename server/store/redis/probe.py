"""Whether choices can be stored now: the health check of the services that write.

Asks on a connection that it keeps. Invariant: whatever would refuse a choice makes ``check`` raise, in words of ours.
"""

import time
from collections.abc import Callable, Mapping

from server.store.keys import identity_key, probe_key
from server.store.ports import StoreUnavailable, StoreUntrusted
from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.connector import Connector, Open
from server.store.redis.errors import ErrorReply, NotPrimary
from server.store.redis.handshake import check_role
from server.store.redis.identity_record import IdentityRecord
from server.store.redis.primary import Primary
from server.store.redis.renewal import Renewal
from server.store.redis.script import Script
from server.store.trust import StoreTrust

_SCRIPT = Script("probe.lua")
_EXPIRY_S = 60
_MOST_DIGITS = 4
"""No server has more than 9999 replicas."""
_KEPT_S = 1.0
"""The connection is made again so often, to notice that its address leads to another server."""


class ServerCheck:
    """Checks one primary, on a connection that it keeps. For one thread."""

    def __init__(
        self, open_primary: Open, renewal: Renewal, key: bytes, replicas: int, *, in_cluster: bool = False
    ) -> None:
        self._connector = Connector(open_primary, Renewal(), _KEPT_S)
        self._renewal = renewal
        self._key = key
        self._replicas = replicas
        self._in_cluster = in_cluster
        self._server = ""
        self.can_confirm = True
        """Whether the server could ever confirm a choice, as far as it has told."""

    def connect(self, deadline_s: float) -> Connection:
        """Return the connection. Raises ``StoreError``."""
        try:
            return self._connector.connect(deadline_s)
        except NotPrimary:
            self._renewal.renew()
            raise

    def check(self, deadline_s: float) -> None:
        """Raise ``StoreError`` unless a choice could be stored."""
        connection = self.connect(deadline_s)
        role, info, written = self._ask(connection, deadline_s)
        try:
            check_role(connection.accept(role))
        except NotPrimary:
            self._renewal.renew()
            raise
        if not isinstance(info, ErrorReply):
            with connection.decoding():
                fields = parse_info(info)
            self._judge(fields)
        if connection.accept(written) != 1:
            raise StoreUnavailable("the store does not keep what is written to it")

    def close(self) -> None:
        """Close the connection."""
        self._connector.close()

    def _ask(self, connection: Connection, deadline_s: float) -> list[Reply]:
        call = (b"1", self._key, b"%d" % time.time_ns(), b"%d" % _EXPIRY_S)
        first = connection.exchange(pack((b"ROLE",)) + pack((b"INFO",)), 2, deadline_s)
        return [*first, *_SCRIPT.run(connection, [call], deadline_s)]

    def _judge(self, info: Mapping[str, str]) -> None:
        server = info.get("run_id", "")
        if self._server and server != self._server:
            # The address leads to another server than the one that other connections were made to.
            self._renewal.renew()
        self._server = server
        self.can_confirm = can_confirm(info, self._replicas)
        if server_mode(info) == "cluster" and not self._in_cluster:
            # It may serve the slot of the store's own record, and so take the probe's write.
            raise StoreUnavailable("the store cannot keep choices: it is a cluster node; use redis+cluster://")
        if problem := write_problem(info, self._replicas):
            raise StoreUnavailable(f"the store cannot keep choices: {problem}")


class StoreProbe:
    """Checks a store of one primary, on one thread. ``has_records``: whether it holds anything of ours."""

    def __init__(
        self, primary: Primary, prefix: bytes, trust: StoreTrust, has_records: Callable[[], bool], replicas: int
    ) -> None:
        self._prefix = prefix
        self._trust = trust
        self._has_records = has_records
        self._server = ServerCheck(primary.open, primary.renewal, probe_key(prefix), replicas)

    @property
    def can_confirm(self) -> bool:
        """Whether the store could ever confirm a choice, as far as it has told."""
        return self._server.can_confirm

    def check(self, timeout_s: float) -> None:
        """Raise ``StoreError`` unless a choice could be stored."""
        deadline_s = time.monotonic() + timeout_s
        connection = self._server.connect(deadline_s)
        self._trust.settle(IdentityRecord(connection, identity_key(self._prefix), self._has_records))
        if self._trust.problem:
            raise StoreUntrusted(self._trust.problem)
        self._server.check(deadline_s)

    def close(self) -> None:
        """Close the connection."""
        self._server.close()


def write_problem(info: Mapping[str, str], replicas: int) -> str:
    """Return why a server that reports this of itself cannot keep choices; empty when it can."""
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction" and info.get("maxmemory", "0") != "0":
        return f"maxmemory-policy is {policy}, which evicts them"
    if info.get("aof_last_write_status", "ok") != "ok":
        return "it cannot write to its disk"
    online = online_replicas(info)
    if online < replicas:
        return f"{online} replicas are connected, {replicas} are required"
    return ""


def can_confirm(info: Mapping[str, str], replicas: int) -> bool:
    """Whether a server that reports this of itself can confirm choices: on its disk, or by the required replicas."""
    return replicas > 0 or info.get("aof_enabled", "1") != "0"


def online_replicas(info: Mapping[str, str]) -> int:
    """Return how many replicas are in step, as INFO reports them."""
    count = info.get("connected_slaves", "0")
    numbers = range(int(count) if count.isdecimal() and len(count) <= _MOST_DIGITS else 0)
    states = [info.get(f"slave{number}", "state=online") for number in numbers]
    return sum("state=online" in state for state in states)


def server_mode(info: Mapping[str, str]) -> str:
    """Return ``standalone``, ``sentinel`` or ``cluster``; empty where it is not reported. Valkey renamed the field."""
    return info.get("server_mode", info.get("redis_mode", ""))


def parse_info(reply: bytes) -> dict[str, str]:
    """Return the fields of a reply to INFO."""
    lines = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in lines if colon}
