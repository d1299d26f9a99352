"""Who the canaries are: a control, whose answers must be behavioural, and one person for each way to be limited.

Each is known by name, by what the store and the request say of it, and by the reason that this gives. An answer that is
limited for another reason alone says nothing about that guard. The policy decides whether one can be asked about: where
it names no place of explicit opt-in, no canary is limited for that.
"""

from enum import Enum
from typing import Final, NamedTuple

from targeting.canaries.ids import CanaryIds
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import Policy
from targeting.reasons import Reason

CALLER_NAME: Final = "internal:canaries"
"""The name of the caller that asks about them, which no client can have."""
COUNTRY: Final = "US"
"""Where the canaries live, by their requests."""
CHILDS_AGE: Final = 3
"""Years, when its record is written; the record is written again when the child is a year older."""


class Stored(Enum):
    """What the store has of a subject of a canary. Each has a profile, which was written first."""

    OPTED_IN = "the person has opted in"
    UNDECIDED = "no choice was made"
    OPTED_OUT = "then the person opted out"
    SIGNALLED = "then a request showed Global Privacy Control, which is stored"
    CHILD = "the birth date is that of a child"
    LOST = "then the preference record was lost"


class Shown(Enum):
    """What the request shows besides the ids."""

    NOTHING = "nothing that limits"
    GLOBAL_PRIVACY_CONTROL = "Global Privacy Control"
    CONSENT_REFUSED = "the GDPR applies, and the TC string has no consent to purpose 4"
    OPT_IN_PLACE = "a place where the policy asks for an explicit opt-in"


class Canary(NamedTuple):
    """One made-up person: its account, perhaps a linked account and a device, and what its requests show."""

    name: str
    reason: Reason | None = None
    """Why every answer about it must be limited; None for the control, which must be behavioural."""
    account: Stored = Stored.OPTED_IN
    linked: Stored | None = None
    device: Stored | None = None
    shows: Shown = Shown.NOTHING

    @property
    def is_control(self) -> bool:
        """Whether nothing limits this person."""
        return self.reason is None

    def subjects(self, ids: CanaryIds) -> list[tuple[Subject, Stored]]:
        """Return the subjects, and what the store has of each."""
        kinds = (
            ("account", SubjectKind.ACCOUNT, self.account),
            ("linked", SubjectKind.ACCOUNT, self.linked),
            ("device", SubjectKind.DEVICE, self.device),
        )
        return [
            (Subject(kind, ids.id_of(f"{self.name}/{part}")), stored)
            for part, kind, stored in kinds
            if stored is not None
        ]

    def applies(self, policy: Policy) -> bool:
        """Whether the policy limits this person, or lets the control be behavioural."""
        if self.account is Stored.CHILD:
            return policy.children.age_in(COUNTRY) > CHILDS_AGE + 1
        return self.shows is not Shown.OPT_IN_PLACE or bool(policy.consent.explicit_opt_in_in)


CANARIES: Final = (
    Canary("control"),
    Canary("account-opt-out", Reason.ACCOUNT_OPT_OUT, Stored.OPTED_OUT),
    Canary("linked-account-opt-out", Reason.ACCOUNT_OPT_OUT, linked=Stored.OPTED_OUT),
    Canary("device-opt-out", Reason.DEVICE_OPT_OUT, device=Stored.OPTED_OUT),
    Canary("child", Reason.UNDER_AGE, Stored.CHILD),
    Canary("lost-preference", Reason.PREFERENCE_LOST, Stored.LOST),
    Canary("gpc-shown", Reason.GLOBAL_PRIVACY_CONTROL, shows=Shown.GLOBAL_PRIVACY_CONTROL),
    Canary("gpc-stored", Reason.ACCOUNT_OPT_OUT, Stored.SIGNALLED),
    Canary("consent-refused", Reason.TCF_NO_CONSENT, shows=Shown.CONSENT_REFUSED),
    Canary("opt-in-place", Reason.OPT_IN_REQUIRED, Stored.UNDECIDED, shows=Shown.OPT_IN_PLACE),
)
