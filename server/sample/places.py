"""The countries of the sample population, with languages, addresses and postal codes.

Each network is a block of 65,536 IPv4 addresses that a large provider of that country assigns to subscribers. A test
looks all of them up in the country table.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """One country. ``postal_codes`` is a pattern for one number below ``postal_numbers``."""

    country: str
    share: float
    languages: tuple[str, ...]
    networks: tuple[str, ...]
    postal_codes: str
    postal_numbers: int
    asks_consent: bool = False
    """The GDPR or its equivalent applies: without a TC string behavioural mode is not allowed."""


PLACES = (
    Place("US", 0.34, ("en-US", "en-US", "es-US"), ("73.20", "12.30", "24.16", "68.40", "99.100"), "{:05}", 99_950),
    Place("IN", 0.12, ("en-IN", "hi-IN"), ("117.200", "106.200", "49.36"), "{:06}", 855_000),
    Place("BR", 0.09, ("pt-BR",), ("177.32", "189.10", "187.20"), "{:05}-000", 99_990),
    Place("CA", 0.06, ("en-CA", "en-CA", "fr-CA"), ("70.25", "142.112"), "M5V {}B3", 10),
    Place("MX", 0.05, ("es-MX",), ("187.130", "189.200"), "{:05}", 99_990),
    Place("JP", 0.05, ("ja-JP",), ("126.10", "60.80", "219.100"), "{:03}-0001", 999),
    Place("AU", 0.03, ("en-AU",), ("1.130", "58.160"), "{:04}", 9_990),
    Place("KR", 0.03, ("ko-KR",), ("175.210", "121.160"), "{:05}", 63_600),
    Place("ZA", 0.02, ("en-ZA", "af-ZA"), ("41.13", "105.225"), "{:04}", 9_990),
    Place("NG", 0.02, ("en-NG",), ("105.112", "197.210"), "{:06}", 990_000),
    Place("AR", 0.02, ("es-AR",), ("190.19", "181.10"), "{:04}", 9_430),
    Place("NZ", 0.01, ("en-NZ",), ("122.56", "125.236"), "{:04}", 9_890),
    Place("GB", 0.05, ("en-GB",), ("86.130", "81.100", "90.200"), "M{} 1AE", 60, asks_consent=True),
    Place("DE", 0.05, ("de-DE",), ("79.200", "91.10", "84.140"), "{:05}", 99_990, asks_consent=True),
    Place("FR", 0.03, ("fr-FR",), ("90.5", "86.200", "82.120"), "{:05}", 95_990, asks_consent=True),
    Place("ES", 0.02, ("es-ES", "ca-ES"), ("80.30", "83.40", "88.10"), "{:05}", 52_990, asks_consent=True),
    Place("PL", 0.01, ("pl-PL",), ("83.30", "79.185"), "{:02}-100", 99, asks_consent=True),
)

CALLED = (
    *("US", "IN", "MX", "GB", "DE", "PH", "CA", "BR", "FR", "ES"),
    *("NG", "CN", "PK", "VN", "CO", "PL", "IT", "AU", "JP", "KR"),
    *("ZA", "AR", "EG", "BD", "TR", "NZ", "AE", "KE", "UA", "SE"),
)
"""Countries that people call, the most frequent first."""

OCCUPATIONS = (
    *("teacher", "nurse", "software developer", "sales assistant", "driver", "student", "accountant"),
    *("electrician", "cook", "engineer", "office clerk", "retired", "carpenter", "designer"),
    *("farmer", "manager", "researcher", "cleaner", "journalist", "mechanic"),
)
