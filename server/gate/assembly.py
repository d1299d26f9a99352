"""The gate that the settings ask for."""

import socket
from importlib.util import find_spec

from server.gate.grpcio_limits import GrpcioLimits
from server.gate.port import GRPC_ADDRESS, TraceableGate
from server.gate.room import Capacity
from server.listening import ListenAddress, listen, reserve
from server.security.doors import Doors
from server.settings import Settings, SettingsError

_CANCELLED = 16
"""How much room gRPC needs beyond the calls in flight, for those that are cancelled and have not ended."""
_WAITING_SHARE = 0.6
"""How much of its budget a decision may wait for its turn."""


def make_gate(settings: Settings, doors: Doors, listener: socket.socket | None = None) -> TraceableGate:
    """Return the gate of ``ADTARGETING_GATE``, not yet open. Raises ``SettingsError``.

    ``listener`` is the socket of ``open_listener``, which several processes share.
    """
    wait_s = _WAITING_SHARE * settings.decision_budget_ms / 1000
    capacity = Capacity(settings.max_inflight, settings.max_inflight_mib << 20, wait_s)
    # Each gate loads libraries that the other does without.
    if not _is_http2(settings):
        from server.gate.grpcio import GrpcioGate  # noqa: PLC0415  # as above

        grpcio_limits = GrpcioLimits(streams=_CANCELLED * settings.max_streams, idle_s=float(settings.idle_timeout_s))
        return GrpcioGate(settings.grpc_address, capacity, grpcio_limits, shared=listener is not None, doors=doors)
    if not has_http2():
        raise SettingsError("ADTARGETING_GATE: h2corn is not installed, it has no wheel for this machine; set grpcio")
    from server.gate.http2.gate import Http2Gate  # noqa: PLC0415  # as above
    from server.gate.http2.limits import Http2Limits  # noqa: PLC0415  # as above

    limits = Http2Limits(
        connections=settings.max_connections,
        streams=settings.max_streams,
        idle_s=float(settings.idle_timeout_s),
        # Every call has ended then: the longest may take the budget of a write.
        drain_s=0.5 + settings.write_budget_ms / 1000,
        hosts=_listed(settings.hosts),
        origins=_listed(settings.origins),
        log_format=settings.log_format,
    )
    return Http2Gate(settings.grpc_address, capacity, limits, listener, doors)


def open_listener(settings: Settings) -> tuple[socket.socket, str]:
    """Return a socket for several processes, and its address. Raises ``ListenError``, ``SettingsError``.

    The processes of the http2 gate accept on it; those of grpcio listen beside it (SO_REUSEPORT).
    """
    where = ListenAddress(GRPC_ADDRESS, settings.grpc_address, int(settings.socket_mode, 8))
    if _is_http2(settings):
        listener = listen(where)
    elif where.unix_path is None:
        listener = reserve(where)
    else:
        raise SettingsError(f"{GRPC_ADDRESS}: the grpcio gate serves a Unix socket by one process; set processes to 1")
    return listener, where.bound(listener)


def _is_http2(settings: Settings) -> bool:
    return settings.gate == "http2" or (settings.gate == "auto" and has_http2())


def has_http2() -> bool:
    """Whether the libraries of the http2 gate are installed."""
    return all(find_spec(name) is not None for name in ("h2corn", "connectrpc"))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
