"""The ``imp`` of a prepared bid request: unchanged, except for the extensions of the impressions.

Invariant: a network receives no other network's parameters, and of its own only what ``select_parameters`` selects.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from targeting.networks import NetworkDecision
from targeting.openrtb.extensions import AllowList, is_object, select_allowed, select_parameters
from targeting.openrtb.json import Raw, members

_NO_PARAMETERS: Final[tuple[tuple[str, Raw], ...]] = ()


class Impressions:
    """The impressions of one bid request, and the variants of them for the networks.

    ``raw`` holds the members of each impression as their original bytes; ``ext`` is the allow-list of their
    extensions, ``parameters`` the names of a network's own parameters, ``known_names`` those of the known networks.
    """

    __slots__ = ("_impressions", "_known_names", "_parameters")

    def __init__(
        self, raw: Sequence[Mapping[str, Raw]], ext: AllowList, parameters: tuple[str, ...], known_names: frozenset[str]
    ) -> None:
        self._impressions = [_Impression(impression, ext) for impression in raw]
        self._parameters = parameters
        self._known_names = known_names

    def for_network(self, decision: NetworkDecision) -> list[dict[str, Any]]:
        """Return the impressions for one network."""
        if (network := decision.policy) is None:
            name = decision.network_id.casefold()
            # An unknown network under the name of a known one must not receive the known one's parameters.
            names = () if name in self._known_names else self._parameters
            return [impression.for_network(name, names) for impression in self._impressions]
        names = self._parameters + network.parameters
        return [impression.for_network(network.name_in_extensions, names) for impression in self._impressions]


class _Impression:
    """One impression: the members that all networks receive, and each network's parameters by lower-case name."""

    __slots__ = ("_allowed_ext", "_bidders", "_common", "_fields", "_networks")

    def __init__(self, raw: Mapping[str, Raw], allowed: AllowList) -> None:
        # Some readers ignore case: an "Ext" must not pass as an unknown field.
        self._fields = {name: value for name, value in raw.items() if name.casefold() != "ext"}
        ext = members(raw["ext"]) if "ext" in raw else {}
        self._allowed_ext = select_allowed(ext, allowed)
        self._networks = _by_network(ext)
        self._bidders = _by_network(_object_at(_object_at(ext, "prebid"), "bidder"))
        self._common: dict[str, Any] = {**self._fields, "ext": self._allowed_ext} if self._allowed_ext else self._fields

    def for_network(self, own_name: str, parameters: tuple[str, ...]) -> dict[str, Any]:
        """Return the impression with the network's own parameters under its name or Prebid's ``bidder``."""
        if own_name not in self._networks and own_name not in self._bidders:
            return self._common
        own = _own(self._networks.get(own_name, _NO_PARAMETERS), parameters)
        bidder = _own(self._bidders.get(own_name, _NO_PARAMETERS), parameters)
        if not own and not bidder:
            return self._common
        ext = {**own, **self._allowed_ext}
        if bidder:
            ext["prebid"] = {**ext.get("prebid", {}), "bidder": bidder}
        return {**self._fields, "ext": ext}


def _by_network(extension: Mapping[str, Raw]) -> Mapping[str, list[tuple[str, Raw]]]:
    by_name: dict[str, list[tuple[str, Raw]]] = {}
    for name, value in extension.items():
        by_name.setdefault(name.casefold(), []).append((name, value))
    return by_name


def _own(values: Sequence[tuple[str, Raw]], parameters: tuple[str, ...]) -> dict[str, Any]:
    return {name: own for name, value in values if (own := select_parameters(value, parameters))}


def _object_at(parent: Mapping[str, Raw], name: str) -> Mapping[str, Raw]:
    return members(parent[name]) if name in parent and is_object(parent[name]) else {}
