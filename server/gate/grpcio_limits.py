"""What gRPC limits on the grpcio gate before any Python runs: messages, metadata, streams, and times of connections.

It has no limit of the number of connections. Source of the options: ``grpc/impl/channel_arg_names.h``.
"""

from typing import Final, NamedTuple

from server.gate.methods import METHODS

_FRAMING_BYTES: Final = 16 * 1024
_METADATA_BYTES: Final = 32 * 1024


class GrpcioLimits(NamedTuple):
    """Limits of the connections of one process. Times in seconds."""

    streams: int = 256
    """Calls in flight of one connection: its caller keeps further ones, which costs nothing here.

    A cancelled call counts until its handler has ended. gRPC refuses what its caller sends by then, and the caller
    repeats it once; so this must be far above what callers have in flight, or cancelled calls end others.
    """
    pending: int = 8192
    """Calls of all connections that wait in gRPC while the event loop is busy; gRPC ends any more as CANCELLED."""
    idle_s: float = 300.0
    """After so long without a call a connection is closed."""
    age_s: float = 600.0
    """After so long, varied by a tenth, it is closed, so that callers spread over all processes again."""
    age_grace_s: float = 70.0
    """How long its calls may still take then: more than the longest, a choice that waits to be CONFIRMED."""

    def options(self, *, shared: bool) -> tuple[tuple[str, int], ...]:
        """Return the options of a server; ``shared``: several listen on its port."""
        return (
            # gRPC's defaults are 1,000 and 3,000: above the first it drops calls at random.
            ("grpc.server.max_pending_requests", self.pending),
            ("grpc.server.max_pending_requests_hard_limit", self.pending),
            # Outside a supervisor a second server on the same port is a mistake, and must be reported.
            ("grpc.so_reuseport", int(shared)),
            ("grpc.max_receive_message_length", max(method.max_bytes for method in METHODS) + _FRAMING_BYTES),
            # Between the two, gRPC refuses at random.
            ("grpc.max_metadata_size", _METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
            ("grpc.max_concurrent_streams", self.streams),
            ("grpc.max_connection_idle_ms", int(self.idle_s * 1000)),
            ("grpc.max_connection_age_ms", int(self.age_s * 1000)),
            ("grpc.max_connection_age_grace_ms", int(self.age_grace_s * 1000)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        )
