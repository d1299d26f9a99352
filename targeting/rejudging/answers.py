"""What a network would receive from a person whom nothing limits: the answers of the policy, without a payload.

They come from the decision's own code, and no profile is passed in. A decision that is limited withholds everything
but the contact on top of them, whatever they are.
"""

from typing import NamedTuple

from targeting.decision import PlannedRequest, network_context
from targeting.model import LimitedFeatures
from targeting.networks import NetworkDecision, decide_networks
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reasons


class NetworkAnswers(NamedTuple):
    """The answers for one network; ``reasons`` withhold something of it. Its ``name`` is its id in lower case.

    ``fields`` are those of the profile; ``precise_position`` is none, coarse or exact; ``ipv4_bits`` and ``ipv6_bits``
    are leading bits of the address.
    """

    name: str
    listed: bool
    contact: bool
    fields: tuple[str, ...] = ()
    user_id: bool = False
    buyeruid: bool = False
    precise_position: str = "none"
    ipv4_bits: int = 0
    ipv6_bits: int = 0
    reasons: Reasons = NO_REASONS


def network_answers(item: PlannedRequest, limited: LimitedFeatures, policy: Policy) -> tuple[NetworkAnswers, ...]:
    """Return the answers for every network that a request asks about, judged by a policy."""
    asked = item.request.networks
    if not asked:
        return ()
    context = network_context(item, limited, policy)
    return tuple([_answers(network) for network in decide_networks(asked, context, None, policy)])


def _answers(network: NetworkDecision) -> NetworkAnswers:
    policy, withheld = network.policy, network.withheld
    ipv4_bits, ipv6_bits = network.address_bits
    user_id = not withheld.user_id
    return NetworkAnswers(
        name=network.network_id.casefold(),
        listed=policy is not None,
        contact=not withheld.contact,
        fields=() if policy is None or withheld.profile else policy.fields,
        user_id=user_id,
        buyeruid=user_id and policy is not None and policy.buyeruid,
        precise_position=network.precise_position,
        ipv4_bits=ipv4_bits,
        ipv6_bits=ipv6_bits,
        reasons=network.reasons,
    )
