"""The nouns of a decision: subjects, the request, its answer.

Every value is immutable. Nothing here knows a profile. Values that carry an identifier hide it in ``repr``, so that
no log line or traceback can show it.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple

from targeting.places.geo import IpLocation


class SubjectKind(StrEnum):
    """What kind of subject a record belongs to; the value is the letter in the store's key."""

    ACCOUNT = "a"
    DEVICE = "d"


class Subject(NamedTuple):
    """An account or a device, by the id that the caller uses."""

    kind: SubjectKind
    id: str

    def __repr__(self) -> str:
        """Show the kind only."""
        return f"Subject({self.kind.name})"


class Identity(NamedTuple):
    """The ids in a request; empty strings mean unknown."""

    account_id: str = ""
    linked_account_ids: tuple[str, ...] = ()
    device_id: str = ""

    def __repr__(self) -> str:
        """Show which ids are present, never the ids."""
        return f"Identity(account={bool(self.account_id)}, device={bool(self.device_id)})"


class AgeTreatment(IntEnum):
    """How the ad server says that the person must be treated; numbers of ``adtargeting.v1.AgeTreatment``."""

    UNSPECIFIED = 0
    CHILD = 1
    TEEN = 2
    ADULT = 3


class Signals(NamedTuple):
    """The privacy signals of one request, as the caller sent them."""

    child_directed: bool = False
    targeted_ads_off: bool = False
    global_privacy_control: bool = False
    do_not_track: bool = False
    limit_ad_tracking: bool = False
    industry_opt_outs: tuple[int, ...] = ()
    gdpr_applies: bool | None = None
    tcf_consent: str = ""
    gpp: str = ""
    gpp_section_ids: tuple[int, ...] = ()
    us_privacy: str = ""
    age_treatment: int = AgeTreatment.UNSPECIFIED
    """An ``AgeTreatment``, or a number that this version does not know, which limits."""
    unreadable: tuple[str, ...] = ()
    """Names of signals that are present in an unreadable form; each limits."""
    more_tcf_consents: tuple[str, ...] = ()
    more_gpps: tuple[str, ...] = ()
    more_us_privacies: tuple[str, ...] = ()
    """Further strings of the kinds above, from other places of the request: each of them must allow."""
    latest_birth_day: int | None = None
    """The latest birth day (days since 1970-01-01) that a stated year of birth allows; one in the future limits."""


NO_SIGNALS = Signals()


class LocaleInputs(NamedTuple):
    """The inputs of country, language and IP location: all that limited mode may look at."""

    client_country: str = ""
    client_language: str = ""
    accept_language: str = ""
    cookie_country: str = ""
    ip_location: IpLocation = IpLocation("", "")
    stored_country: str = ""
    stored_language: str = ""


class AdRequest(NamedTuple):
    """One ad request: parsed and bounded, not yet judged."""

    request_id: str = ""
    identity: Identity = Identity()
    ip: str = ""
    ip_location: IpLocation = IpLocation("", "")
    accept_language: str = ""
    client_country: str = ""
    client_language: str = ""
    in_app: bool = False
    cookie_header: str = ""
    signals: Signals = NO_SIGNALS
    networks: tuple[str, ...] = ()
    caller: str = ""
    """Name of the calling client; empty where callers are not told apart."""
    shown_countries: tuple[str, ...] = ()
    """Further countries (ISO 3166-1 alpha-2) that the request shows: the GDPR and networks' rules may apply there."""
    shown_subdivisions: tuple[str, ...] = ()
    """Further subdivisions (ISO 3166-2) that the request shows: networks' rules may apply there."""
    is_dry_run: bool = False
    """Whether the caller wants nothing to be stored."""

    def __repr__(self) -> str:
        """Show nothing about the person."""
        return f"AdRequest({len(self.networks)} networks)"


class Mode(IntEnum):
    """What a decision may use; the numbers are those of ``adtargeting.v1.Mode``."""

    BEHAVIOURAL = 1
    LIMITED = 2


class LimitedFeatures(NamedTuple):
    """Country, language and IP location: ISO 3166-1 alpha-2, BCP 47, ISO 3166-1 alpha-2, ISO 3166-2."""

    country: str
    language: str
    ip_country: str
    ip_subdivision: str


class AgeBracket(IntEnum):
    """Age in brackets; the numbers are those of ``adtargeting.v1.AgeBracket``."""

    UNKNOWN = 0
    FROM_13 = 1
    FROM_18 = 2
    FROM_25 = 3
    FROM_35 = 4
    FROM_45 = 5
    FROM_55 = 6
    FROM_65 = 7


class Gender(IntEnum):
    """Declared gender; the numbers are those of ``adtargeting.v1.Gender``."""

    UNKNOWN = 0
    FEMALE = 1
    MALE = 2
    OTHER = 3
