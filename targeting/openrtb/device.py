"""The ``device`` of a prepared bid request, built up from nothing.

Every network receives country and region, language, masked address, device type and privacy flags. A network that
receives more than limited features also receives the description of the device; position and full address each need
their own permission. Device identifiers are sent to no network.

Invariant: no field that holds an identifier is read here.
"""

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from targeting.networks import COARSE, EXACT, NetworkDecision
from targeting.openrtb.device_families import families_of
from targeting.openrtb.forms import DEVICE, DEVICE_EXT, select_valid
from targeting.openrtb.json import Raw, members, reader_of, write_json
from targeting.openrtb.readers import Reader, read_extension
from targeting.places.geo import IpAddress, IpLocation, mask_ip, parse_ip, round_coordinate
from targeting.places.iso3166 import COUNTRIES

_ABOUT_AN_EXACT_POSITION: Final = ("type", "accuracy", "lastfix", "ipservice")
_DEVICE_TYPES: Final = range(1, 9)
"""OpenRTB's list of device types (AdCOM 1.0); any other number could be an identifier."""


class _Parts(TypedDict, total=False):
    geo: Raw
    ext: Raw


class _Brand(TypedDict, total=False):
    brand: Raw
    version: Raw


class _UserAgent(TypedDict, total=False):
    browsers: list[_Brand]
    platform: _Brand
    mobile: Raw
    architecture: Raw
    bitness: Raw
    model: Raw
    source: Raw


class _Description(TypedDict, total=False):
    """Every member of a description that may be sent."""

    ua: Raw
    sua: _UserAgent
    make: Raw
    model: Raw
    os: Raw
    osv: Raw
    hwv: Raw
    h: Raw
    w: Raw
    ppi: Raw
    pxratio: Raw
    js: Raw
    geofetch: Raw
    flashver: Raw
    carrier: Raw
    mccmnc: Raw
    connectiontype: Raw


_read_parts = reader_of(_Parts)
_read_description = reader_of(_Description)


class Device:
    """The device of one bid request, and the variants of it for the networks.

    ``fields`` is the parsed device, ``raw`` its original bytes; ``place`` is its location, ``ext`` reads what
    is allowed of its extension.
    """

    __slots__ = ("_addresses", "_built", "_common", "_descriptions", "_fields", "_parts", "_place", "_raw")

    def __init__(self, fields: Mapping[str, Any], raw: Raw, place: IpLocation, language: str, ext: Reader) -> None:
        self._fields = fields
        self._parts = _read_parts(raw)
        self._raw = raw
        self._place = place_of(place)
        self._addresses = _addresses(fields)
        self._common = _common(fields, self._parts, language, ext)
        self._descriptions: dict[bool, Mapping[str, Any]] = {}
        self._built: dict[tuple[bool, str, tuple[int, int]], Raw | None] = {}

    def __repr__(self) -> str:
        """Return the type's name alone: nothing about the person."""
        return "Device()"

    def for_network(self, decision: NetworkDecision, *, reduced: bool) -> Raw | None:
        """Return the device for one network, or None; ``reduced`` replaces the description by families."""
        permissions = reduced, decision.precise_position, decision.address_bits
        if permissions not in self._built:
            device = self._build(decision, reduced=reduced)
            self._built[permissions] = Raw(write_json(device)) if device else None
        return self._built[permissions]

    def _build(self, decision: NetworkDecision, *, reduced: bool) -> dict[str, Any]:
        if reduced not in self._descriptions:
            self._descriptions[reduced] = _reduced(self._fields) if reduced else _read_description(self._raw)
        device = {**self._common, **self._descriptions[reduced]}
        for name, address in self._addresses.items():
            device[name] = mask_ip(address, *decision.address_bits)
        if geo := self._place | self._position(decision.precise_position):
            device["geo"] = geo
        return device

    def _position(self, precise_position: str) -> dict[str, Any]:
        geo = self._fields.get("geo", {})
        if precise_position not in {COARSE, EXACT} or not _is_position(geo.get("lat"), geo.get("lon")):
            return {}
        if precise_position == COARSE:
            return {name: round_coordinate(geo[name]) for name in ("lat", "lon")}
        raw = members(self._parts["geo"])
        return {name: raw[name] for name in ("lat", "lon", *_ABOUT_AN_EXACT_POSITION) if name in raw}


def place_of(location: IpLocation) -> dict[str, str]:
    """Return a place as OpenRTB writes it: ISO 3166-1 alpha-3, and the part of ISO 3166-2 after the hyphen."""
    if not location.country:
        return {}
    place = {"country": COUNTRIES[location.country]}
    if location.subdivision:
        place["region"] = location.subdivision.partition("-")[2]
    return place


def _addresses(fields: Mapping[str, Any]) -> dict[str, IpAddress]:
    """Return the valid addresses under the field of their version, whichever field they were in."""
    addresses: dict[str, IpAddress] = {}
    for name in ("ip", "ipv6"):
        text = fields.get(name)
        address = parse_ip(text) if isinstance(text, str) else None
        if address is not None:
            addresses.setdefault("ip" if len(address) == 4 else "ipv6", address)
    return addresses


def _common(fields: Mapping[str, Any], parts: _Parts, language: str, ext: Reader) -> dict[str, Any]:
    """Return the members that are the same for every network."""
    device = select_valid(fields, fields, DEVICE)
    if fields.get("devicetype") in _DEVICE_TYPES:
        device["devicetype"] = fields["devicetype"]
    if language:
        device["language" if len(language) == 2 else "langb"] = language
    extension = _extension(fields["ext"], parts["ext"], ext) if "ext" in parts else {}
    if extension:
        device["ext"] = extension
    return device


def _extension(fields: Mapping[str, Any], raw: Raw, allowed: Reader) -> dict[str, Any]:
    return select_valid(fields, members(raw), DEVICE_EXT) | read_extension(allowed, raw)


def _reduced(fields: Mapping[str, Any]) -> dict[str, Any]:
    families = families_of(fields)
    device: dict[str, Any] = {"os": families.system} if families.system else {}
    if families.browser:
        device["sua"] = {"browsers": [{"brand": families.browser}], "mobile": int(families.mobile)}
    return device


def _is_position(lat: float | None, lon: float | None) -> bool:
    return lat is not None and lon is not None and -90 <= lat <= 90 and -180 <= lon <= 180
