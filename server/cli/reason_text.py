"""The reasons in words, for people who do not know the contract by heart."""

from collections.abc import Iterable

from targeting.reasons import Reason

WORDS = {
    Reason.CHILD_DIRECTED: "the service is made for children",
    Reason.APP_OPT_OUT: "the privacy switch in the client is set",
    Reason.COOKIE_OPT_OUT: "a cookie carries an opt-out",
    Reason.INDUSTRY_OPT_OUT: "opted out at an industry body",
    Reason.GLOBAL_PRIVACY_CONTROL: "the browser sends Global Privacy Control",
    Reason.DO_NOT_TRACK: "the browser sends Do Not Track",
    Reason.LIMIT_AD_TRACKING: "the phone limits ad tracking",
    Reason.TCF_NO_CONSENT: "the GDPR applies and there is no consent for this",
    Reason.GPP_OPT_OUT: "the GPP string opts out",
    Reason.US_PRIVACY_OPT_OUT: "the US Privacy string opts out of sale",
    Reason.SIGNAL_UNREADABLE: "a privacy signal is there and cannot be read",
    Reason.ACCOUNT_OPT_OUT: "the account, or one linked to it, is opted out",
    Reason.DEVICE_OPT_OUT: "this browser or device is opted out",
    Reason.UNDER_AGE: "the person is a child",
    Reason.PREFERENCE_LOST: "a profile is there, but the stored choice is lost",
    Reason.RECORD_UNREADABLE: "a stored record cannot be trusted",
    Reason.STORE_TIMEOUT: "the store did not answer in time",
    Reason.STORE_UNAVAILABLE: "the store is down",
    Reason.NO_PROFILE: "nothing is known about this person",
    Reason.NO_SUBJECT: "nobody is identified",
    Reason.NETWORK_UNKNOWN: "the policy does not know this network",
    Reason.NETWORK_POLICY: "the policy does not let this network have all of it",
}


def name_of(reason: int) -> str:
    """Give a reason's name; a number where a newer service knows more reasons."""
    return Reason(reason).name if reason in WORDS else f"REASON {reason}"


def names_of(reasons: Iterable[int]) -> str:
    """Give the names of several reasons in a row."""
    return ", ".join(map(name_of, reasons))


def words_of(reason: int) -> str:
    """Say what a reason means."""
    return WORDS.get(Reason(reason), "") if reason in WORDS else "a reason that this version does not know"
