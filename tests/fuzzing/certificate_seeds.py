"""Write the corpus of certificates: ``python -m tests.fuzzing.certificate_seeds``. The same bytes at every run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

_BEGIN, _END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
_SEED = bytes(32)
_NAMES: dict[str, list[x509.GeneralName]] = {
    "uri": [x509.UniformResourceIdentifier("spiffe://example.org/ads")],
    "dns": [x509.DNSName("Ads.Example"), x509.DNSName("*.ads.example")],
    "every-kind": [
        x509.UniformResourceIdentifier("spiffe://example.org/ads"),
        x509.DNSName("ads.example"),
        x509.IPAddress(ip_address("192.0.2.1")),
        x509.RFC822Name("ads@example.org"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ads")])),
    ],
    "no-names": [],
}


def certificates() -> Iterator[tuple[str, bytes]]:
    """Yield the name of each and its DER; Ed25519 signs the same bytes in the same way (RFC 8032)."""
    key = Ed25519PrivateKey.from_private_bytes(_SEED)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ads.example")])
    for name, sans in _NAMES.items():
        builder = (
            x509.CertificateBuilder(subject, subject, key.public_key(), serial_number=1)
            .not_valid_before(_BEGIN)
            .not_valid_after(_END)
        )
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
        yield name, builder.sign(key, None).public_bytes(Encoding.DER)


if __name__ == "__main__":
    from tests.fuzzing.targets import CORPORA

    for name, der in certificates():
        (CORPORA / "certificate" / name).write_bytes(der)
