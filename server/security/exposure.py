"""Which listeners are reached from elsewhere, and whether each is protected.

Invariant: outside the loopback a listener has both TLS and a clients file, unless the operator says that something in
front of it does that work.
"""

import logging
from ipaddress import ip_address
from typing import Final

from server.settings import PREFIX, UNIX_PREFIX, Settings, SettingsError

_LOG = logging.getLogger(__name__)
_REMEDY: Final = (
    f"set {PREFIX}TLS_CERT, {PREFIX}TLS_KEY and {PREFIX}CLIENTS, or {PREFIX}INSECURE_LISTEN=yes if a proxy or the "
    "network protects it"
)


def check_exposure(settings: Settings) -> None:
    """Refuse listeners outside the loopback that are not protected. Raises ``SettingsError``.

    With ``ADTARGETING_INSECURE_LISTEN=yes`` it logs one warning instead.
    """
    if settings.tls_cert and settings.clients:
        return
    addresses = {
        f"{PREFIX}GRPC_ADDRESS": settings.grpc_address,
        f"{PREFIX}METRICS_ADDRESS": settings.metrics_address,
        f"{PREFIX}WEB_ADDRESS": settings.web_address,
    }
    exposed = [name for name, address in addresses.items() if address and not is_local(address)]
    if not exposed:
        return
    if settings.insecure_listen != "yes":
        raise SettingsError(f"{exposed[0]}: listens outside the loopback without TLS and clients; {_REMEDY}")
    _LOG.warning(
        "open outside the loopback: %s; %sINSECURE_LISTEN says that something else protects it",
        ", ".join(exposed),
        PREFIX,
    )


def is_unix(address: str) -> bool:
    """Return whether an address is a Unix socket's."""
    return address.startswith(UNIX_PREFIX)


def is_local(address: str) -> bool:
    """Return whether only this machine reaches an address: a Unix socket or the loopback."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return is_unix(address) or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        # What a name resolves to may change.
        return False
