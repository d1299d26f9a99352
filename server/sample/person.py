"""One person of the sample population: plain values from which records and requests are made."""

from enum import Enum
from typing import NamedTuple

from server.sample.habits import Habits
from server.sample.places import Place
from targeting.model import Gender


class OptOutWay(Enum):
    """How a person opted out of targeted ads."""

    ACCOUNT_PAGE = "the choice stored for the account"
    LINKED_ACCOUNT = "the choice stored for a linked account"
    BROWSER = "the choice stored for the browser"
    OPT_OUT_COOKIE = "the TOptOut cookie"
    ANON_COOKIE = "the opt-out bound to the ANON cookie"
    APP_SWITCH = "targeted ads turned off in the app"
    GPC = "Global Privacy Control"
    INDUSTRY_PAGE = "the page of an industry body"
    AD_TRACKING = "Limit Ad Tracking"
    US_PRIVACY = "a US Privacy string"
    GPP = "a GPP string"


class Stored(Enum):
    """What is stored about a person."""

    PROFILE = "a preference record and a profile"
    PREFERENCE = "a preference record"
    NOTHING = "nothing"


class Person(NamedTuple):
    """One person. ``birth_day`` counts days since 1970-01-01; None if not declared."""

    number: int
    account_id: str
    device_id: str
    sends_muid: bool
    """The device is identified by the ``MUID`` cookie, not by an id of the caller."""
    place: Place
    language: str
    ip: str
    birth_day: int | None
    is_child: bool
    gender: Gender
    occupation: str
    postal_code: str
    opt_out_way: OptOutWay | None
    stored: Stored
    habits: Habits
    stored_locale: bool
    """Country and language are also in the preference record."""
    asks_networks: bool
    """The request names third-party networks."""

    @property
    def linked_account_id(self) -> str:
        """The account linked to this person's; empty if there is none."""
        return f"{self.account_id}-linked" if self.opt_out_way is OptOutWay.LINKED_ACCOUNT else ""
