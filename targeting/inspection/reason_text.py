"""A sentence for each reason."""

from collections.abc import Iterable

from targeting.reasons import Reason

REASON_TEXTS = {
    Reason.CHILD_DIRECTED: "the service is directed at children",
    Reason.APP_OPT_OUT: "targeted ads are turned off in the client",
    Reason.COOKIE_OPT_OUT: "a cookie carries an opt-out",
    Reason.INDUSTRY_OPT_OUT: "opted out on the page of an industry body",
    Reason.GLOBAL_PRIVACY_CONTROL: "the browser sends Global Privacy Control",
    Reason.DO_NOT_TRACK: "the browser sends Do Not Track",
    Reason.LIMIT_AD_TRACKING: "the device limits ad tracking",
    Reason.TCF_NO_CONSENT: "the GDPR applies and consent is missing",
    Reason.GPP_OPT_OUT: "the GPP string opts out",
    Reason.US_PRIVACY_OPT_OUT: "the US Privacy string opts out of sale",
    Reason.SIGNAL_UNREADABLE: "a privacy signal is present and cannot be decoded",
    Reason.ACCOUNT_OPT_OUT: "the account or a linked account is opted out",
    Reason.DEVICE_OPT_OUT: "this browser or device is opted out",
    Reason.UNDER_AGE: "the person is under the minimum age",
    Reason.PREFERENCE_LOST: "an opt-out may have been lost",
    Reason.RECORD_UNREADABLE: "a stored record cannot be trusted",
    Reason.STORE_TIMEOUT: "the store did not answer in time",
    Reason.STORE_UNAVAILABLE: "the store is down",
    Reason.OPT_IN_REQUIRED: "the policy asks for an explicit opt-in there, and none is stored",
    Reason.NO_PROFILE: "no profile is stored",
    Reason.NO_SUBJECT: "the request identifies no subject",
    Reason.NETWORK_UNKNOWN: "the policy does not list this network",
    Reason.NETWORK_POLICY: "the policy withholds data from this network",
}


def name_of(reason: int) -> str:
    """Return the name of a reason, or its number if only a newer version knows it."""
    return Reason(reason).name if reason in REASON_TEXTS else f"REASON {reason}"


def names_of(reasons: Iterable[int]) -> str:
    """Return the names of several reasons, separated by commas."""
    return ", ".join(map(name_of, reasons))


def text_of(reason: int) -> str:
    """Return what a reason means."""
    return REASON_TEXTS.get(Reason(reason), "") if reason in REASON_TEXTS else "unknown to this version"
