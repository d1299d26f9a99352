"""The ``imp`` of a prepared bid request: the fields of the specification, and allowed extensions.

Invariant: a network receives no other network's parameters, and of its own only what ``select_parameters`` selects.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from targeting.networks import NetworkDecision
from targeting.openrtb.extensions import is_object, select_parameters
from targeting.openrtb.json import Raw, members, write_json
from targeting.openrtb.readers import Reader, Readers, read_extension

_NO_PARAMETERS: Final[tuple[tuple[str, Raw], ...]] = ()


class Impressions:
    """The impressions of one bid request, and the variants of them for the networks.

    ``raw`` is the array as its original bytes; ``parameters`` are the names of a network's own parameters, and
    ``known_names`` those of the known networks.
    """

    __slots__ = ("_impressions", "_known_names", "_parameters")

    def __init__(self, raw: Raw, readers: Readers, parameters: tuple[str, ...], known_names: frozenset[str]) -> None:
        self._impressions = [_Impression(fields, readers.impression_ext) for fields in readers.impressions(raw)]
        self._parameters = parameters
        self._known_names = known_names

    def for_network(self, decision: NetworkDecision) -> list[Raw]:
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

    def __init__(self, fields: dict[str, Any], extension: Reader) -> None:
        raw_ext = fields.pop("ext", None)
        self._fields = write_json(fields)
        ext = {} if raw_ext is None else members(raw_ext)
        self._allowed_ext = {} if raw_ext is None else read_extension(extension, raw_ext)
        self._networks = _by_network(ext)
        self._bidders = _by_network(_object_at(_object_at(ext, "prebid"), "bidder"))
        self._common = self._with_ext(self._allowed_ext)

    def for_network(self, own_name: str, parameters: tuple[str, ...]) -> Raw:
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
        return self._with_ext(ext)

    def _with_ext(self, ext: Mapping[str, Any]) -> Raw:
        if not ext:
            return Raw(self._fields)
        # The fields are serialised once for all networks, and end with a brace.
        separator = b"," if len(self._fields) > len(b"{}") else b""
        return Raw(b'%b%b"ext":%b}' % (self._fields[:-1], separator, write_json(ext)))


def _by_network(extension: Mapping[str, Raw]) -> Mapping[str, list[tuple[str, Raw]]]:
    by_name: dict[str, list[tuple[str, Raw]]] = {}
    for name, value in extension.items():
        by_name.setdefault(name.casefold(), []).append((name, value))
    return by_name


def _own(values: Sequence[tuple[str, Raw]], parameters: tuple[str, ...]) -> dict[str, Any]:
    return {name: own for name, value in values if (own := select_parameters(value, parameters))}


def _object_at(parent: Mapping[str, Raw], name: str) -> Mapping[str, Raw]:
    return members(parent[name]) if name in parent and is_object(parent[name]) else {}
