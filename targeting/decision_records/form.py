"""The form of a decision record: one line of JSON, version 1.

Invariant: every text in it is one of the words below, a code of a country or subdivision, or of the operator's policy;
every number is a class or an id of the policy or of a standard. No id, no value and no text of a caller has a place.
What is not said has its default.
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

VERSION = 1

Count: TypeAlias = Annotated[int, Meta(ge=0, le=65_535)]
Age: TypeAlias = Annotated[int, Meta(ge=-1, le=150)]
AgeRange: TypeAlias = tuple[Age, Age | None]
"""An age in years: at least the first, under the second; -1: not yet born, as a stated year of birth may say."""
Country: TypeAlias = Annotated[str, Meta(pattern="^([A-Z]{2})?$")]
"""ISO 3166-1 alpha-2 or ``EU``; empty: unknown."""
Subdivision: TypeAlias = Annotated[str, Meta(pattern="^([A-Z]{2}-[A-Z0-9]{0,3})?$")]
"""ISO 3166-2; ``US-``: one that cannot be read."""
ReasonName: TypeAlias = Annotated[str, Meta(pattern="^[A-Z_]{1,40}$")]
PolicyVersion: TypeAlias = Annotated[str, Meta(pattern="^[!-~]{1,64}$")]

Flag: TypeAlias = Literal[
    "app",
    "child_directed",
    "cookie_opt_out",
    "do_not_track",
    "global_privacy_control",
    "industry_opt_out",
    "limit_ad_tracking",
    "muid_in_doubt",
    "targeted_ads_off",
    "unreadable",
]
AgeTreatment: TypeAlias = Literal["UNSPECIFIED", "CHILD", "TEEN", "ADULT", "UNKNOWN"]
Signal: TypeAlias = Literal["tcf", "gpp", "us_privacy"]
StoreAnswer: TypeAlias = Literal["not_asked", "asked", "STORE_TIMEOUT", "STORE_UNAVAILABLE", "PREFERENCE_LOST"]
StoredChoiceName: TypeAlias = Literal["absent", "lost", "unreadable", "none", "opted_out", "opted_in"]
"""``lost``: a profile is there without the choice."""


class _Form(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of a record."""


class RequestFacts(_Form, frozen=True, kw_only=True):
    """What the request shows: its flags, the ages that it states, and which subjects it names."""

    flags: tuple[Flag, ...] = ()
    age_treatment: AgeTreatment = "UNSPECIFIED"
    stated_age: AgeRange | None = None
    nap_age: AgeRange | None = None
    """The lowest age of the NAP cookies; they are opened only where the store is asked."""
    account: bool = False
    device: bool = False
    others: bool = False
    """Whether only linked accounts, or the account of a cookie, are named."""


class PlaceFacts(_Form, frozen=True, kw_only=True):
    """The places of a request, by what shows them."""

    client: Country = ""
    cookies: tuple[Country, ...] = ()
    ip: Country = ""
    ip_subdivision: Subdivision = ""
    shown: tuple[Country, ...] = ()
    shown_subdivisions: tuple[Subdivision, ...] = ()


class VendorFacts(_Form, frozen=True, kw_only=True):
    """The purposes of a TC string for which a vendor of the policy has a basis, by itself."""

    id: Count
    consent: tuple[Count, ...] = ()
    legitimate_interest: tuple[Count, ...] = ()


class TcStringFacts(_Form, frozen=True, kw_only=True):
    """One readable TC string. ``is_of_list``: it was made with the version of the policy's vendor list."""

    is_of_list: bool = False
    precise_position: bool = False
    vendors: tuple[VendorFacts, ...] = ()


class ConsentFacts(_Form, frozen=True, kw_only=True):
    """What the consent strings say; ``tc_strings`` have the bases for ``purposes`` only."""

    gdpr_flag: bool | None = None
    in_gdpr_scope: bool = False
    unreadable: tuple[Signal, ...] = ()
    us_privacy_opt_out: bool = False
    has_gpp: bool = False
    named_sections: tuple[Count, ...] = ()
    sections: tuple[Count, ...] = ()
    withholds: Annotated[int, Meta(ge=0, le=7)] = 0
    """What the GPP sections withhold: 1 profile and ids, 2 precise position, 7 everything."""
    may_grant: bool = False
    vendor_list: Count = 0
    """The version of the policy's vendor list; 0: it has none."""
    purposes: tuple[Count, ...] = ()
    tc_strings: tuple[TcStringFacts, ...] = ()


class SubjectFacts(_Form, frozen=True, kw_only=True):
    """What the preference record of one subject says."""

    kind: Literal["account", "device"]
    choice: StoredChoiceName = "absent"
    age: AgeRange | None = None
    country: Country = ""


class NetworkFacts(_Form, frozen=True, kw_only=True):
    """What a network of the policy would receive from a person whom nothing limits, and why no more."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    contact: bool = False
    fields: tuple[str, ...] = ()
    user_id: bool = False
    buyeruid: bool = False
    precise_position: Literal["none", "coarse", "exact"] = "none"
    ipv4_bits: Count = 0
    ipv6_bits: Count = 0
    reasons: tuple[ReasonName, ...] = ()


class DecisionRecord(_Form, frozen=True, kw_only=True, tag_field="kind", tag="decision"):
    """The judged facts of one decision, with the answer."""

    v: Literal[1]
    hour: Annotated[str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}Z$")]
    policy: PolicyVersion
    epoch: Annotated[str, Meta(pattern="^[0-9A-Za-z-]{0,64}$")] = ""
    """The epoch of the store; empty while it is unknown."""
    mode: Literal["BEHAVIOURAL", "LIMITED"]
    reasons: tuple[ReasonName, ...] = ()
    person: Annotated[int, Meta(ge=0, le=7)] | None = None
    """One of eight groups of people (``person_group`` beside this module), only where the mode is BEHAVIOURAL."""
    request: RequestFacts = RequestFacts()
    places: PlaceFacts = PlaceFacts()
    consent: ConsentFacts = ConsentFacts()
    store: StoreAnswer = "not_asked"
    subjects: tuple[SubjectFacts, ...] = ()
    """The account, then the device, then others; empty where the store was not asked, or did not answer."""
    networks: tuple[NetworkFacts, ...] = ()
    unlisted_networks: bool = False
    """Whether networks were asked for that the policy does not list."""


class PolicyRecord(_Form, frozen=True, kw_only=True, tag_field="kind", tag="policy"):
    """A policy that decided the records after it, with every setting of its file."""

    v: Literal[1]
    version: PolicyVersion
    settings: dict[str, Any]
