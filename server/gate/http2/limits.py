"""What h2corn limits before any Python runs: connections, streams, headers, bodies and idle times."""

import socket
from typing import Any, NamedTuple

from h2corn import Config, RequestPolicy

from server.gate.file_limit import raise_file_limit
from server.gate.methods import METHODS
from server.security.tls import TlsFiles

_KEPT_FREE_FILES = 256
"""Descriptors that connections never take: for the store, metrics and files."""

_HEADER_BYTES = 32 * 1024
_CALL_BODY_BYTES, _OTHER_BODY_BYTES = 4 * 1024 * 1024, 64 * 1024
"""A longer body ends its stream, without words. What an RPC takes is bounded where the body is read."""
_STREAM_WINDOW_BYTES, _CONNECTION_WINDOW_BYTES = 256 * 1024, 1024 * 1024
"""What h2corn takes of bodies before Python reads them, which no bound of ours counts; its default is 8 MiB each."""
_BODY_IDLE_S, _STALL_S, _HANDSHAKE_S = 10.0, 20.0, 5.0


class Http2Limits(NamedTuple):
    """Limits of the connections of one process. Times in seconds."""

    connections: int = 4096
    streams: int = 16
    """Calls in flight of one connection: its caller keeps further ones, which costs nothing here."""
    tasks: int = 8192
    """Requests in Python at once. More get HTTP 503, which costs more than a refusal in Python: a last resort."""
    idle_s: float = 300.0
    drain_s: float = 0.5
    """How long calls may take to end when a server stops, or makes room for one with new TLS files."""
    hosts: tuple[str, ...] = ()
    """Names by which HTTP/1.1 and browsers may call the port, beside its own."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may call it."""
    log_format: str = "text"
    """How h2corn writes its own lines on standard error: ``text`` or ``json``."""

    def names(self, address: str) -> "AllowedNames":
        """Return the names by which a port at this address may be called."""
        return AllowedNames(frozenset((address.rpartition(":")[0], *self.hosts)), frozenset(self.origins))


class AllowedNames(NamedTuple):
    """Hosts and origins that a browser may show."""

    hosts: frozenset[str]
    origins: frozenset[str]


def config_of(listener: socket.socket, limits: Http2Limits, tls: TlsFiles | None = None) -> Config:
    """Return h2corn's configuration for a listening socket."""
    most_connections = max(raise_file_limit() - _KEPT_FREE_FILES, 16)
    policies = [_policy(method.path, _CALL_BODY_BYTES) for method in METHODS]
    return Config(
        bind=(f"fd://{listener.fileno()}",),
        grpc=True,
        access_log=False,
        log_format="json" if limits.log_format == "json" else "text",
        lifespan="off",
        date_header=False,
        request_policies=(*policies, _policy("/*", _OTHER_BODY_BYTES)),
        max_request_body_size=_OTHER_BODY_BYTES,
        limit_connections=min(limits.connections, most_connections),
        limit_concurrency=limits.tasks,
        max_concurrent_streams=limits.streams,
        limit_request_head_size=_HEADER_BYTES,
        h2_max_header_list_size=_HEADER_BYTES,
        h2_max_header_block_size=_HEADER_BYTES,
        h2_initial_stream_window_size=_STREAM_WINDOW_BYTES,
        h2_initial_connection_window_size=_CONNECTION_WINDOW_BYTES,
        timeout_handshake=_HANDSHAKE_S,
        timeout_keep_alive=limits.idle_s,
        timeout_request_body_idle=_BODY_IDLE_S,
        h2_timeout_response_stall=_STALL_S,
        timeout_graceful_shutdown=limits.drain_s,
        **tls_options(tls),
    )


def _policy(path: str, most_bytes: int) -> RequestPolicy:
    return RequestPolicy(
        path=path,
        max_request_body_size=most_bytes,
        timeout_request_body_idle=_BODY_IDLE_S,
        h2_timeout_response_stall=_STALL_S,
    )


def tls_options(files: TlsFiles | None) -> dict[str, Any]:
    """Return the options of h2corn's configuration for TLS; client certificates are asked for, not required."""
    if files is None:
        return {}
    asked = {"ca_certs": files.client_ca, "cert_reqs": "optional"} if files.client_ca else {}
    return {"certfile": files.certificate, "keyfile": files.key, **asked}
