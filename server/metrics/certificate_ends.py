"""``adtargeting_certificate_expiry_seconds``, read from the certificates in use at each scrape."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from server.security.doors import NO_CERTIFICATES


def _none() -> Mapping[str, float]:
    """Before the doors are open there is no certificate."""
    return NO_CERTIFICATES


class CertificateEnds(Collector):
    """``ends_s`` is the doors' ``certificate_ends_s``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ends_s: Callable[[], Mapping[str, float]] = _none
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the ends as they are now."""
        family = GaugeMetricFamily(
            "adtargeting_certificate_expiry_seconds",
            "When the first certificate expires, in seconds since 1970",
            labels=["certificate"],
        )
        for certificate, end_s in self.ends_s().items():
            family.add_metric([certificate], end_s)
        yield family

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Return the name, which the registry wants before the doors are open."""
        return self.collect()
