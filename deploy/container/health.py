"""Exit with 0 while the service decides: ``health.py``. Asks ``/readyz`` at ``ADTARGETING_METRICS_ADDRESS``.

The certificate is not verified: the question goes to this container itself, and has no secret in it.
"""

import http.client
import os
import ssl
import sys

TIMEOUT_S = 2.0
READY = 200


def main() -> int:
    """Return 0 if the service is ready, else 1."""
    address = os.environ.get("ADTARGETING_METRICS_ADDRESS", "127.0.0.1:9464").replace("0.0.0.0:", "127.0.0.1:")
    connection = connection_to(address, uses_tls=bool(os.environ.get("ADTARGETING_TLS_CERT")))
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = "" if answer.status == READY else answer.read().decode().strip()
    except (OSError, http.client.HTTPException) as problem:
        said = type(problem).__name__
    if said:
        sys.stderr.write(f"{address}: {said}\n")
    return 1 if said else 0


def connection_to(address: str, *, uses_tls: bool) -> http.client.HTTPConnection:
    """Return a connection to an address, not yet opened."""
    if not uses_tls:
        return http.client.HTTPConnection(address, timeout=TIMEOUT_S)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(address, timeout=TIMEOUT_S, context=context)


if __name__ == "__main__":
    sys.exit(main())
