"""The HTTP endpoint that Prometheus scrapes."""

from contextlib import ExitStack

from prometheus_client import CollectorRegistry, start_http_server

from server.settings import SettingsError


def serve_metrics(address: str, registry: CollectorRegistry, closing: ExitStack) -> str:
    """Serve ``/metrics`` until ``closing`` is closed, and return the bound address. Raises ``SettingsError``."""
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host, registry)
    except (OSError, ValueError, OverflowError) as problem:
        raise SettingsError(
            f"ADTARGETING_METRICS_ADDRESS: cannot listen on {address}; set another host:port"
        ) from problem
    closing.callback(thread.join)
    closing.callback(server.server_close)
    closing.callback(server.shutdown)
    return f"{host}:{server.server_port}"
