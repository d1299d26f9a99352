"""One person of the sample population: plain values, from which records and requests are made."""

from enum import Enum
from typing import NamedTuple

from server.sample.habits import Habits
from server.sample.places import Place
from targeting.model import Gender


class WayOut(Enum):
    """How somebody opted out of targeted ads."""

    ACCOUNT_PAGE = "the choice stored for the account"
    LINKED_ACCOUNT = "the choice stored for a linked account"
    BROWSER = "the choice stored for the browser"
    OPT_OUT_COOKIE = "the TOptOut cookie"
    ANON_COOKIE = "the opt-out bound to the ANON cookie"
    APP_SWITCH = "the switch in the app"
    GPC = "Global Privacy Control"
    INDUSTRY_PAGE = "an industry body's page"
    AD_TRACKING = "Limit Ad Tracking"
    US_PRIVACY = "a US Privacy string"
    GPP = "a GPP string"


class Known(Enum):
    """What is stored about somebody."""

    PROFILE = "a preference record and a profile"
    PREFERENCE = "a preference record"
    NOTHING = "nothing"


class Person(NamedTuple):
    """One person. ``birth_day`` counts days since 1970-01-01; None: never told."""

    number: int
    account_id: str
    device_id: str
    sends_muid: bool
    """The device is known by the ``MUID`` cookie, and not by an id of the caller's."""
    place: Place
    language: str
    ip: str
    birth_day: int | None
    is_child: bool
    gender: Gender
    occupation: str
    postal_code: str
    way_out: WayOut | None
    known: Known
    habits: Habits
    stored_locale: bool
    """Country and language are in the preference record too."""
    asks_networks: bool
    """The request names third-party networks."""

    @property
    def linked_account_id(self) -> str:
        """The account that is linked to this person's, where one is."""
        return f"{self.account_id}-linked" if self.way_out is WayOut.LINKED_ACCOUNT else ""
