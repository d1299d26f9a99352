"""When certificates expire, as the metric tells: the first of each file, as it is now."""

from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path

import pytest

from server.app import Service
from server.metrics.metrics import Metrics
from server.security.admission import Admission
from server.security.doors import Doors
from server.security.tls import CurrentTls, TlsFiles
from tests.pki import DAY, HERE, Authority
from tests.server.running_service import settings

AUTHORITY = Authority()


def ends_s(metrics: Metrics, certificate: str) -> float:
    value = metrics.registry.get_sample_value("adtargeting_certificate_expiry_seconds", {"certificate": certificate})
    assert value is not None
    return value


def in_s(time_left: timedelta) -> object:
    return pytest.approx((datetime.now(UTC) + time_left).timestamp(), abs=3600)


def write_chain(directory: Path, *valid_for: timedelta) -> TlsFiles:
    """Write a certificate and intermediate ones behind it."""
    leaf, *others = [AUTHORITY.issue("leaf", HERE, valid_for=each) for each in valid_for]
    certificate, key = leaf.write(directory)
    certificate.write_bytes(leaf.certificate + b"".join(each.certificate for each in others))
    authority = directory / "ca.pem"
    authority.write_bytes(AUTHORITY.certificate)
    return TlsFiles(str(certificate), str(key), str(authority))


def test_the_first_of_a_chain_counts_and_a_new_file_shows_at_once(tmp_path: Path) -> None:
    metrics, tls = Metrics(), CurrentTls(write_chain(tmp_path, 9 * DAY, 4 * DAY))
    metrics.certificates.ends_s = Doors(Admission(), tls, None).certificate_ends_s
    assert ends_s(metrics, "server") == in_s(4 * DAY)
    assert ends_s(metrics, "client_ca") == in_s(DAY)
    write_chain(tmp_path, 90 * DAY)
    tls.reload()
    assert ends_s(metrics, "server") == in_s(90 * DAY)


def test_without_certificates_there_is_no_end(tmp_path: Path) -> None:
    metrics = Metrics()
    assert isnan(ends_s(metrics, "server"))
    certificate, key = AUTHORITY.issue("leaf", HERE).write(tmp_path)
    metrics.certificates.ends_s = Doors(
        Admission(), CurrentTls(TlsFiles(str(certificate), str(key))), None
    ).certificate_ends_s
    assert ends_s(metrics, "server") == in_s(DAY)
    assert isnan(ends_s(metrics, "client_ca"))


def test_a_service_shows_its_own(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.issue("leaf", HERE, valid_for=20 * DAY).write(tmp_path)
    with Service(settings(tmp_path, tls_cert=str(certificate), tls_key=str(key))) as service:
        assert ends_s(service.metrics, "server") == in_s(20 * DAY)
