"""Traces of calls, as an option: OpenTelemetry is imported only where they are switched on."""
