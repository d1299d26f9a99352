"""What ``decide`` and ``explain`` say where no country is known: that the GDPR is taken to apply, and why."""

import pytest

from server.cli.country_notes import NO_ADDRESS, NO_COUNTRY, NONE_KNOWN
from tests.server.cli.conftest import Adt

US = "73.20.1.1"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((), [NONE_KNOWN]),
        (("--ip", "999.1.1.1"), [NO_ADDRESS, NONE_KNOWN]),
        (("--ip", "192.168.0.1"), [NONE_KNOWN]),
        (("--country", "ZZ"), [NO_COUNTRY, NONE_KNOWN]),
        (("--country", "ZZ", "--ip", US), [NO_COUNTRY]),
        (("--country", "US", "--ip", "::1%lo"), [NO_ADDRESS]),
        (("--country", "USA"), []),
        (("--country", "EU"), []),
        (("--cookie", "CC=US"), []),
        (("--ip", US), []),
        (("--gdpr",), []),
        (("--no-gdpr",), []),
        (("--gpp", "DBAA", "--gpp-sid", "2"), []),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("command", ["decide", "explain"])
def test_an_unknown_country_is_said(served: Adt, command: str, argv: tuple[str, ...], expected: list[str]) -> None:
    shown = " ".join(served(command, "--account", "x", *argv).out.split())
    assert [note for note in (NO_ADDRESS, NO_COUNTRY, NONE_KNOWN) if note in shown] == expected


def test_json_has_the_answer_alone(served: Adt) -> None:
    assert NONE_KNOWN not in " ".join(served("decide", "--account", "x", "--json").out.split())
