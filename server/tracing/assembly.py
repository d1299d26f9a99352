"""The tracer that the settings ask for."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from server.settings import PREFIX, Settings, SettingsError

if TYPE_CHECKING:
    from server.tracing.tracer import Tracer

_SETTING: Final = f"{PREFIX}TRACES"
_PACKAGES: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.grpc")
_EXPORT_S: Final = 2
_CLOSING_MS: Final = 2_000


def open_tracer(settings: Settings, closing: ExitStack) -> Tracer | None:
    """Return the tracer, which ``closing`` closes, or None without traces. Raises ``SettingsError``."""
    if not settings.traces:
        return None
    if not all(map(_is_installed, _PACKAGES)):
        raise SettingsError(f"{_SETTING}: OpenTelemetry is not installed; run: pip install 'adtargeting[otel]'")
    if not settings.traces.startswith(("http://", "https://")):
        raise SettingsError(f"{_SETTING}: must be the URL of an OTLP receiver (gRPC), such as http://127.0.0.1:4317")
    # Imported where it is used: it costs time and memory that a service without traces does not have to spend.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  # as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  # as above

    from server.tracing.tracer import Tracer  # noqa: PLC0415  # as above

    exporter = OTLPSpanExporter(settings.traces, timeout=_EXPORT_S)
    tracer = Tracer(BatchSpanProcessor(exporter, export_timeout_millis=_CLOSING_MS), settings.traces_one_in)
    closing.callback(tracer.close)
    return tracer


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
