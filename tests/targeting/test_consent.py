"""Several sources of one consent: the GDPR's scope by any country, and of two strings the stricter."""

from itertools import permutations
from typing import Any

import pytest

from targeting.consent import PURPOSE_BEHAVIOURAL, RequestConsent, read_consent
from targeting.model import AdRequest, Signals
from targeting.places.geo import IpLocation
from targeting.policy.policy import GdprPolicy, Policy
from targeting.reasons import Reason, reasons_in
from tests.targeting.signals.gpp.gpp_encoder import gpp
from tests.targeting.signals.strings import STRINGS, VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Ranges, Restriction, Section, Tc

POLICY = Policy(gdpr=GdprPolicy(host_vendor_id=VENDOR))
US = IpLocation("US", "")
CONSENT, CONTACT_ONLY = STRINGS["tcf-consent"], STRINGS["tcf-contact-only"]


def consent_of(signals: Signals, cookie_countries: tuple[str, ...] = (), **request: Any) -> RequestConsent:
    return read_consent(AdRequest(signals=signals, **request), cookie_countries, POLICY)


def reasons(consent: RequestConsent) -> list[str]:
    return [reason.name for reason in reasons_in(consent.reasons)]


@pytest.mark.parametrize(
    ("location", "shown", "cookie_countries", "applies"),
    [
        pytest.param(US, {}, (), False, id="address elsewhere"),
        pytest.param(IpLocation("DE", ""), {}, (), True, id="address"),
        pytest.param(IpLocation("EU", ""), {}, (), True, id="address somewhere in Europe"),
        pytest.param(IpLocation("", ""), {}, (), True, id="no country"),
        pytest.param(IpLocation("DE", ""), {"client_country": "US"}, (), True, id="address beside a setting"),
        pytest.param(IpLocation("EU", ""), {"client_country": "US"}, (), True, id="EU beside a setting"),
        pytest.param(US, {"client_country": "deu"}, (), True, id="setting"),
        pytest.param(US, {"client_country": "EU"}, (), True, id="EU as a setting"),
        pytest.param(US, {"client_country": "XX"}, (), False, id="no country as a setting"),
        pytest.param(IpLocation("", ""), {"client_country": "XX"}, (), True, id="no country at all"),
        pytest.param(US, {}, ("FR",), True, id="cookie"),
        pytest.param(US, {}, ("US", "EU"), True, id="second cookie"),
        pytest.param(IpLocation("", ""), {}, ("",), True, id="unreadable cookie without an address"),
        pytest.param(US, {}, ("",), False, id="unreadable cookie beside an address"),
        pytest.param(US, {"shown_countries": ("US", "NO")}, (), True, id="bid request"),
        pytest.param(US, {"shown_countries": ("EU",)}, (), True, id="EU in a bid request"),
    ],
)
def test_scope_by_country(
    location: IpLocation, shown: dict[str, Any], cookie_countries: tuple[str, ...], *, applies: bool
) -> None:
    assert consent_of(Signals(), cookie_countries, ip_location=location, **shown).gdpr is applies
    assert consent_of(Signals(gdpr_applies=True), cookie_countries, ip_location=location, **shown).gdpr is True
    assert consent_of(Signals(gdpr_applies=False), cookie_countries, ip_location=location, **shown).gdpr is False


@pytest.mark.parametrize("flag", [None, True, False])
def test_a_named_section_2_is_in_scope(flag: bool | None) -> None:
    signals = Signals(gdpr_applies=flag, gpp=STRINGS["gpp-tcf-consent"], gpp_section_ids=(2,))
    assert consent_of(signals, ip_location=US).gdpr is True


@pytest.mark.parametrize(
    ("first", "second", "withheld"),
    [
        pytest.param(CONSENT, CONSENT, [], id="both opt in to the position"),
        pytest.param(CONSENT, CONTACT_ONLY, ["TCF_NO_CONSENT"], id="the second does not"),
        pytest.param(CONTACT_ONLY, CONSENT, ["TCF_NO_CONSENT"], id="the first does not"),
        pytest.param(CONSENT, STRINGS["tcf-global-scope"], ["TCF_NO_CONSENT"], id="the second is invalid"),
        pytest.param(CONSENT, "?", ["TCF_NO_CONSENT"], id="the second cannot be read"),
    ],
)
def test_of_two_tc_strings_each_must_allow_the_position(first: str, second: str, withheld: list[str]) -> None:
    consent = consent_of(Signals(gdpr_applies=True, tcf_consent=first, more_tcf_consents=(second,)))
    assert [reason.name for reason in reasons_in(consent.position_withheld(VENDOR, POLICY))] == withheld


@pytest.mark.parametrize(
    "consents",
    [
        BitField(frozenset({1, VENDOR}), 800),
        Ranges(((0, 800),), 800),
        Ranges(((0, None), (1, None), (VENDOR, None)), 800),
    ],
    ids=["a bit field", "a range from 0", "a single 0"],
)
def test_vendor_0_is_no_vendor_and_receives_nothing(consents: Section) -> None:
    everything = Tc(purposes=frozenset(range(1, 12)), special_features=frozenset({1}), consents=consents)
    consent = consent_of(Signals(gdpr_applies=True, tcf_consent=everything.text()))
    for vendor in (1, VENDOR):
        assert consent.has_basis(PURPOSE_BEHAVIOURAL, vendor, POLICY)
        assert not consent.position_withheld(vendor, POLICY)
    assert not consent.has_basis(PURPOSE_BEHAVIOURAL, 0, POLICY)
    assert consent.position_withheld(0, POLICY) == Reason.TCF_NO_CONSENT.bit


ALONE: dict[str, tuple[Signals, list[str]]] = {
    "nothing": (Signals(), []),
    "a TC string out of scope": (Signals(tcf_consent=STRINGS["tcf-refusal"]), []),
    "a GPP string": (Signals(gpp=STRINGS["usnat-sale-opt-out"]), ["GPP_OPT_OUT"]),
    "a section that is named, without a string": (Signals(gpp_section_ids=(7,)), ["SIGNAL_UNREADABLE"]),
    "section 2, without a string": (Signals(gpp_section_ids=(2,)), ["TCF_NO_CONSENT", "SIGNAL_UNREADABLE"]),
    "that no section applies": (Signals(gpp_section_ids=(-1,)), []),
    "a US Privacy string": (Signals(us_privacy="1YYN"), ["US_PRIVACY_OPT_OUT"]),
    "a US Privacy string inside a GPP string": (Signals(gpp=gpp({6: "1YYN"})), ["US_PRIVACY_OPT_OUT"]),
    "the flag of the GDPR": (Signals(gdpr_applies=True), ["TCF_NO_CONSENT"]),
}


@pytest.mark.parametrize(("signals", "found"), ALONE.values(), ids=ALONE)
def test_each_string_counts_by_itself(signals: Signals, found: list[str]) -> None:
    assert reasons(consent_of(signals, ip_location=US)) == found


REFUSAL_IN_GPP, CONSENT_IN_GPP = STRINGS["gpp-tcf-refusal"], STRINGS["gpp-tcf-consent"]
BOTH_PLACES: dict[str, tuple[Signals, list[str]]] = {
    "consent in both": (Signals(tcf_consent=CONSENT, gpp=CONSENT_IN_GPP, gpp_section_ids=(2,)), []),
    "consent in a named section": (Signals(gpp=CONSENT_IN_GPP, gpp_section_ids=(2,)), []),
    "consent in a section that is not named": (Signals(gpp=CONSENT_IN_GPP), ["TCF_NO_CONSENT"]),
    "consent, and in a section that is not named": (Signals(tcf_consent=CONSENT, gpp=CONSENT_IN_GPP), []),
    "consent, and a refusal in a named section": (
        Signals(tcf_consent=CONSENT, gpp=REFUSAL_IN_GPP, gpp_section_ids=(2,)),
        ["TCF_NO_CONSENT"],
    ),
    "consent, and a refusal in a section that is not named": (
        Signals(tcf_consent=CONSENT, gpp=REFUSAL_IN_GPP),
        ["TCF_NO_CONSENT"],
    ),
    "a refusal, and consent in a named section": (
        Signals(tcf_consent=STRINGS["tcf-refusal"], gpp=CONSENT_IN_GPP, gpp_section_ids=(2,)),
        ["TCF_NO_CONSENT"],
    ),
    "consent, and a section that cannot be read as a TC string": (
        Signals(tcf_consent=CONSENT, gpp=gpp({2: "junk"}), gpp_section_ids=(2,)),
        ["TCF_NO_CONSENT", "SIGNAL_UNREADABLE"],
    ),
}


@pytest.mark.parametrize(("signals", "found"), BOTH_PLACES.values(), ids=BOTH_PLACES)
def test_a_tc_string_inside_a_gpp_string_counts_beside_the_other(signals: Signals, found: list[str]) -> None:
    assert reasons(consent_of(signals._replace(gdpr_applies=True))) == found


ALLOWS, SALE, GPC = (STRINGS[f"usnat-{name}"] for name in ("allows", "sale-opt-out", "gpc"))
POSITION = STRINGS["usnat-position-refused"]


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        pytest.param(ALLOWS, ALLOWS, [], id="both allow"),
        pytest.param(ALLOWS, SALE, ["GPP_OPT_OUT"], id="the second opts out"),
        pytest.param(GPC, ALLOWS, ["GPP_OPT_OUT"], id="the first opts out"),
        pytest.param(ALLOWS, "?", ["SIGNAL_UNREADABLE"], id="the second cannot be read"),
        pytest.param("?", SALE, ["GPP_OPT_OUT", "SIGNAL_UNREADABLE"], id="one opts out, one cannot be read"),
        pytest.param(ALLOWS, gpp({6: "1YYN"}), ["US_PRIVACY_OPT_OUT"], id="a US Privacy string inside the second"),
    ],
)
def test_of_two_gpp_strings_without_ids_the_stricter_counts(first: str, second: str, found: list[str]) -> None:
    assert reasons(consent_of(Signals(gpp=first, more_gpps=(second,)), ip_location=US)) == found


@pytest.mark.parametrize(("first", "second"), [(POSITION, ALLOWS), (ALLOWS, POSITION)])
def test_of_two_gpp_strings_either_withholds_the_position(first: str, second: str) -> None:
    consent = consent_of(Signals(gpp=first, more_gpps=(second,), gpp_section_ids=(7,)), ip_location=US)
    assert reasons(consent) == []
    assert [reason.name for reason in reasons_in(consent.position_withheld(VENDOR, POLICY))] == ["GPP_OPT_OUT"]


@pytest.mark.parametrize("string", [ALLOWS, SALE], ids=["all allowed", "a sale opted out of"])
def test_a_gpp_string_withholds_the_position_only_where_it_says_so(string: str) -> None:
    consent = consent_of(Signals(gpp=string), ip_location=US)
    assert consent.gpp is not None
    assert not consent.position_withheld(VENDOR, POLICY)


@pytest.mark.parametrize(("first", "second"), [(SALE, ALLOWS), (ALLOWS, SALE)], ids=["the first", "the second"])
def test_of_two_sections_of_one_id_the_one_that_withholds_is_shown(first: str, second: str) -> None:
    read = consent_of(Signals(gpp=first, more_gpps=(second,)), ip_location=US).gpp
    assert read is not None
    assert [field.field for field in read.withholding_fields] == ["SaleOptOut"]


def test_the_sections_of_every_gpp_string_are_known() -> None:
    read = consent_of(Signals(gpp=ALLOWS, more_gpps=(gpp({6: "1YNN"}),)), ip_location=US).gpp
    assert read is not None
    assert sorted(read.sections) == [6, 7]


def test_strings_that_take_too_long_are_named_apart() -> None:
    restricted = Tc(restrictions=(Restriction(2, 0, ((1, None),)),) * 129).text()
    consent = consent_of(Signals(gdpr_applies=True, tcf_consent=restricted, gpp=gpp({7: "B" + "A" * 600})))
    assert (consent.unreadable, consent.given_up) == (("gpp", "tcf"), ("gpp", "tcf"))
    for strings in permutations([gpp({7: "B" + "A" * 600}), "?"]):
        assert consent_of(Signals(gpp=strings[0], more_gpps=strings[1:]), ip_location=US).given_up == ("gpp",)
    for unreadable in ("?", gpp({7: "?"})):
        consent = consent_of(Signals(gdpr_applies=True, tcf_consent="?", gpp=unreadable, us_privacy="?"))
        assert (consent.unreadable, consent.given_up) == (("gpp", "tcf", "us_privacy"), ())


def test_outside_the_gdpr_a_consent_is_what_would_have_been_read_there() -> None:
    slow = Tc(restrictions=(Restriction(2, 0, ((1, None),)),) * 129).text()
    others = (
        *(Signals(), Signals(us_privacy="?"), Signals(us_privacy="1YYN")),
        *(Signals(gpp=gpp({7: "B" + "A" * 600})), Signals(gpp=STRINGS["gpp-tcf-refusal"])),
    )
    for tcf in ("", "?", slow, CONSENT, CONTACT_ONLY):
        for other in others:
            inside = other._replace(gdpr_applies=True, tcf_consent=tcf)
            outside = consent_of(inside._replace(gdpr_applies=False))
            assert consent_of(inside).outside_the_gdpr().under(POLICY) == outside
