"""The calls that ask about canaries: what a caller would send of such a person, with marks in what must not go on."""

import json
from typing import Any, Final, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import COUNTRY, Canary, Shown
from targeting.model import SubjectKind
from targeting.policy.policy import Policy

ADDRESS: Final = "192.0.2.77"
"""An address for documentation (RFC 5737), which no limited answer shows whole."""

# Version 2, of 2023: consent to purposes 1 to 11 without 4 for every vendor from 1 to 65,535. So a network may be
# contacted, and gets limited features.
CONSENT_WITHOUT_PURPOSE_4: Final = "CP1R2oAP1R2oAAfAHBENB-EgAO_gAAAAAAYn__wAYAA__-AAAAA"

MOST_NETWORKS: Final = 64


class Asking(NamedTuple):
    """What is asked about every canary: the networks, and the place where the policy asks for an explicit opt-in."""

    ids: CanaryIds
    networks: tuple[str, ...]
    opt_in_country: str = ""

    @classmethod
    def under(cls, policy: Policy, ids: CanaryIds, turn: int) -> "Asking":
        """Return what to ask under a policy; networks beyond the most that a call takes come in the next turns."""
        names = [network.id for network in policy.networks]
        parts = max(-(-len(names) // MOST_NETWORKS), 1)
        start = turn % parts * MOST_NETWORKS
        places = policy.consent.explicit_opt_in_in
        return cls(ids, tuple(names[start : start + MOST_NETWORKS]), next(iter(places), "")[:2])

    def decide_request(self, canary: Canary) -> pb.DecideRequest:
        """Return the request of a decision."""
        refuses = canary.shows is Shown.CONSENT_REFUSED
        return pb.DecideRequest(
            **self._subjects(canary),
            ip=ADDRESS,
            client=self._client(canary),
            signals=pb.PrivacySignals(
                gdpr_applies=refuses,
                tcf_consent=CONSENT_WITHOUT_PURPOSE_4 if refuses else "",
                global_privacy_control=canary.shows is Shown.GLOBAL_PRIVACY_CONTROL,
            ),
            third_party_networks=self.networks,
        )

    def bid_request_call(self, canary: Canary) -> pb.PrepareBidRequestRequest:
        """Return the call that prepares a bid request for every network."""
        return pb.PrepareBidRequestRequest(
            **self._subjects(canary),
            bid_request=json.dumps(self._bid_request(canary)).encode(),
            client=self._client(canary),
            third_party_networks=self.networks,
        )

    def _subjects(self, canary: Canary) -> dict[str, Any]:
        account, *others = [subject for subject, _ in canary.subjects(self.ids)]
        return {
            "account_id": account.id,
            "linked_account_ids": [each.id for each in others if each.kind is SubjectKind.ACCOUNT],
            "device_id": next((each.id for each in others if each.kind is SubjectKind.DEVICE), ""),
        }

    def _client(self, canary: Canary) -> pb.ClientSettings:
        is_there = canary.shows is Shown.OPT_IN_PLACE
        return pb.ClientSettings(country=self.opt_in_country if is_there else COUNTRY, language="en")

    def _bid_request(self, canary: Canary) -> dict[str, Any]:
        """Return a small bid request whose members that identify hold the account's id and the mark."""
        account, mark = self._subjects(canary)["account_id"], self.ids.mark_of(canary.name)
        refuses = canary.shows is Shown.CONSENT_REFUSED
        gpc = {"gpc": 1} if canary.shows is Shown.GLOBAL_PRIVACY_CONTROL else {}
        return {
            "id": "1",
            "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}],
            "site": {"id": "1"},
            "device": {"ip": ADDRESS, "ifa": mark, "language": "en"},
            "user": {
                "id": account,
                "buyeruid": mark,
                "keywords": mark,
                "data": [{"id": "1", "segment": [{"id": mark}]}],
                "eids": [{"source": "example.com", "uids": [{"id": account}]}],
                **({"consent": CONSENT_WITHOUT_PURPOSE_4} if refuses else {}),
            },
            "regs": {"gdpr": int(refuses), "ext": gpc},
        }
