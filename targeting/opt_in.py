"""Whether the policy asks for an explicit opt-in where the person may be (``consent.explicit_opt_in_in``).

Every place that the request or the records show counts; an unknown place may be any. A stored opt-in of the account or
of the device satisfies the rule, and so does consent under the place's own regime: a TC string where the GDPR applies,
the Canadian GPP section in Canada. This module knows no record.
"""

from collections.abc import Iterable

from targeting.consent import PURPOSE_BEHAVIOURAL, RequestConsent
from targeting.model import AdRequest
from targeting.places.locale import EUROPE, parse_place
from targeting.policy.policy import Policy
from targeting.signals.cookies import Cookies

_CANADA, _CANADIAN_SECTION = "CA", 5


def needs_opt_in(
    request: AdRequest, cookies: Cookies, consent: RequestConsent, stored_countries: Iterable[str], policy: Policy
) -> bool:
    """Whether behavioural mode needs a stored opt-in: somewhere the policy asks for one, and no consent answers it.

    Example: with ``CA-QC`` listed, a request from Quebec needs one, and so does a request from a Canadian address
    whose province is unknown; one from Ontario does not.
    """
    listed = policy.consent.explicit_opt_in_in
    if not listed:
        return False
    countries = {
        parse_place(request.client_country) or "",
        request.ip_location.country,
        *cookies.countries,
        *request.shown_countries,
        *stored_countries,
    } - {""}
    asking = {place for place in listed if _may_be_in(place, countries, request, policy)}
    return any(not _consents(place, request, consent, policy) for place in asking)


def _may_be_in(place: str, countries: set[str], request: AdRequest, policy: Policy) -> bool:
    country = place[:2]
    if not countries or (EUROPE in countries and country in policy.gdpr.applies_in):
        return True
    if country not in countries or place == country:
        return country in countries
    shown = (request.ip_location.subdivision, *request.shown_subdivisions)
    known = {subdivision for subdivision in shown if subdivision.startswith(f"{country}-")}
    return not known or place in known or f"{country}-" in known


def _consents(place: str, request: AdRequest, consent: RequestConsent, policy: Policy) -> bool:
    country = place[:2]
    if country in policy.gdpr.applies_in:
        return consent.gdpr and consent.has_basis(PURPOSE_BEHAVIOURAL, policy.gdpr.host_vendor_id, policy)
    # The section withholds unless it states express consent, and then the request is limited already.
    return country == _CANADA and consent.gpp is not None and _CANADIAN_SECTION in request.signals.gpp_section_ids
