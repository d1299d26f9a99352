"""Strategies: any ad request with any signals, and any stored records."""

import hashlib

from hypothesis import strategies as st

from targeting.model import AdRequest, Identity, Signals, Subject
from targeting.places.geo import IpLocation
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from tests.targeting.records.test_records import PROFILES
from tests.targeting.signals.strings import STRINGS

TCF_STRINGS = st.sampled_from(["", "junk", *(text for name, text in STRINGS.items() if name.startswith("tcf"))])
GPP_STRINGS = st.sampled_from(["", "junk", *(text for name, text in STRINGS.items() if name.startswith("us"))])

SIGNALS = st.builds(
    Signals,
    child_directed=st.booleans(),
    targeted_ads_off=st.booleans(),
    global_privacy_control=st.booleans(),
    do_not_track=st.booleans(),
    limit_ad_tracking=st.booleans(),
    industry_opt_outs=st.lists(st.integers(0, 9), max_size=2).map(tuple),
    gdpr_applies=st.sampled_from([None, True, False]),
    tcf_consent=TCF_STRINGS,
    gpp=GPP_STRINGS,
    gpp_section_ids=st.sampled_from([(), (-1,), (7,), (2,), (7, 8)]),
    us_privacy=st.sampled_from(["", "1YNN", "1YYN", "1---", "xxxx"]),
)
COOKIES = st.sampled_from(
    ["", "TOptOut=1", "TOptOut=0", "CC=US", "CC=FR", "ANON=A=abc&O=1", "MUID=zzz", f"MUID={'0' * 32}", "MH=brand"]
)
REQUESTS = st.builds(
    AdRequest,
    identity=st.builds(
        Identity,
        st.sampled_from(["", "alice"]),
        st.sampled_from([(), ("bob",)]),
        st.sampled_from(["", "phone"]),
    ),
    ip=st.sampled_from(["", "192.0.2.1", "::ffff:192.0.2.77", "junk"]),
    ip_location=st.sampled_from([IpLocation("", ""), IpLocation("US", "US-CA"), IpLocation("DE", "")]),
    accept_language=st.sampled_from(["", "fr", "junk;;;"]),
    client_country=st.sampled_from(["", "US", "deu"]),
    client_language=st.sampled_from(["", "pt-br"]),
    in_app=st.booleans(),
    cookie_header=st.lists(COOKIES, max_size=2).map("; ".join),
    signals=SIGNALS,
    networks=st.sampled_from([(), ("house", "partner", "stranger")]),
)


def owner_of(subject: Subject) -> bytes:
    return hashlib.blake2b(f"{subject.kind}{subject.id}".encode(), digest_size=16).digest()


@st.composite
def preferences(draw: st.DrawFn, owner: bytes) -> bytes | None:
    kind = draw(st.sampled_from(["absent", "junk", "good", "good", "good"]))
    if kind != "good":
        return None if kind == "absent" else b"\0"
    return encode_preference(
        Preference(
            choice=draw(st.sampled_from(Choice)),
            country=draw(st.sampled_from(["", "CA"])),
            language=draw(st.sampled_from(["", "fr-CA"])),
            birth_day=draw(st.sampled_from([None, 5_000, 20_000])),
        ),
        owner,
    )


@st.composite
def records(draw: st.DrawFn, subject: Subject, *, profile: bool | None = None) -> StoredRecords:
    """Any records of a subject; with ``profile``, a profile among them."""
    owner = owner_of(subject)
    held = draw(st.booleans()) if profile is None else profile
    return StoredRecords(subject.kind, owner, draw(preferences(owner)), draw(profile_values(owner)) if held else None)


@st.composite
def profile_values(draw: st.DrawFn, owner: bytes) -> bytes:
    profile: Profile = draw(PROFILES)
    return draw(st.sampled_from([encode_profile(profile, owner), b"\0", encode_profile(profile, bytes(16))]))
