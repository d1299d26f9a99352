"""The gate that the settings ask for."""

from server.gate.grpcio import Capacity, GrpcioGate
from server.gate.port import Gate
from server.settings import Settings


def make_gate(settings: Settings) -> Gate:
    """Return the gate of ``ADTARGETING_GATE``, not yet open."""
    return GrpcioGate(settings.grpc_address, Capacity(settings.max_inflight, settings.max_inflight_mib << 20))
