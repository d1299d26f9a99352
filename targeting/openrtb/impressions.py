"""The ``imp`` of a prepared bid request: untouched, but for the extensions of the impressions.

Invariant: of the networks' own parameters one network gets its own alone, and of these what ``select_parameters`` lets
through.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from targeting.networks import NetworkDecision
from targeting.openrtb.extensions import AllowList, is_object, select_allowed, select_parameters
from targeting.openrtb.json import Raw, members

_NO_PARAMETERS: Final[tuple[tuple[str, Raw], ...]] = ()


class Impressions:
    """The impressions of one bid request, from which each network gets its own.

    ``raw`` holds the members of each as the bytes that came; ``ext`` names what of their extensions may stay,
    ``parameters`` what a network's own parameters may be called, ``claimed`` the names of those that are known.
    """

    __slots__ = ("_claimed", "_each", "_parameters")

    def __init__(
        self, raw: Sequence[Mapping[str, Raw]], ext: AllowList, parameters: tuple[str, ...], claimed: frozenset[str]
    ) -> None:
        self._each = [_Impression(each, ext) for each in raw]
        self._parameters = parameters
        self._claimed = claimed

    def for_network(self, decision: NetworkDecision) -> list[dict[str, Any]]:
        """Build the impressions for one network."""
        if (network := decision.policy) is None:
            name = decision.network_id.casefold()
            # Somebody unknown who goes by the name of a known network gets nothing of its.
            names = () if name in self._claimed else self._parameters
            return [each.for_network(name, names) for each in self._each]
        names = self._parameters + network.parameters
        return [each.for_network(network.name_in_extensions, names) for each in self._each]


class _Impression:
    """One impression: what all networks get of it, and the parameters of each by its name in lower case."""

    __slots__ = ("_bidders", "_common", "_fields", "_kept", "_networks")

    def __init__(self, raw: Mapping[str, Raw], allowed: AllowList) -> None:
        # Some readers take names in any case: an "Ext" must not pass for an unknown field.
        self._fields = {name: value for name, value in raw.items() if name.casefold() != "ext"}
        ext = members(raw["ext"]) if "ext" in raw else {}
        self._kept = select_allowed(ext, allowed)
        self._networks = _by_network(ext)
        self._bidders = _by_network(_below(_below(ext, "prebid"), "bidder"))
        self._common: dict[str, Any] = {**self._fields, "ext": self._kept} if self._kept else self._fields

    def for_network(self, own_name: str, parameters: tuple[str, ...]) -> dict[str, Any]:
        """Put the network's own parameters where they stood: under its name, or under Prebid's ``bidder``."""
        if own_name not in self._networks and own_name not in self._bidders:
            return self._common
        own = _own(self._networks.get(own_name, _NO_PARAMETERS), parameters)
        bidder = _own(self._bidders.get(own_name, _NO_PARAMETERS), parameters)
        if not own and not bidder:
            return self._common
        ext = {**own, **self._kept}
        if bidder:
            ext["prebid"] = {**ext.get("prebid", {}), "bidder": bidder}
        return {**self._fields, "ext": ext}


def _by_network(extension: Mapping[str, Raw]) -> Mapping[str, list[tuple[str, Raw]]]:
    found: dict[str, list[tuple[str, Raw]]] = {}
    for name, value in extension.items():
        found.setdefault(name.casefold(), []).append((name, value))
    return found


def _own(of_network: Sequence[tuple[str, Raw]], parameters: tuple[str, ...]) -> dict[str, Any]:
    return {name: own for name, value in of_network if (own := select_parameters(value, parameters))}


def _below(within: Mapping[str, Raw], name: str) -> Mapping[str, Raw]:
    return members(within[name]) if name in within and is_object(within[name]) else {}
