"""A scenario: stored records, a request, the expected answer. Read from the YAML files beside this module."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.json_format import ParseDict

from targeting.age import date_of, day_of, person_day
from targeting.model import Gender, Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY, Policy, policy_from
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import (
    HeldDestination,
    HeldExposure,
    HeldInterest,
    Profile,
    SegmentKind,
    encode_profile,
)
from targeting.records.stored_records import StoredRecords
from tests.targeting.signals.strings import STRINGS

HERE = Path(__file__).parent
LOCATIONS = {
    "192.0.2.1": IpLocation("US", ""),
    "192.0.2.7": IpLocation("US", "US-CT"),
    "192.0.2.8": IpLocation("US", "US-OH"),
    "198.51.100.1": IpLocation("DE", "DE-BE"),
    "198.51.100.2": IpLocation("CA", "CA-QC"),
    "198.51.100.3": IpLocation("CA", "CA-ON"),
    "203.0.113.1": IpLocation("EU", ""),
}
"""The scenarios' own country table, so that they do not depend on a database."""

Table = Mapping[str, Any]  # what YAML holds
OwnerOf = Callable[[Subject], bytes]


class Scenario(NamedTuple):
    """One row of the specification."""

    file: str
    name: str
    policy: Table
    store: list[Table]
    request: Table
    expect: Table
    store_fails: str = ""
    """How the store fails: ``TIMEOUT`` or ``UNAVAILABLE``; empty: it does not."""

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


class TableLocator:
    """Places the addresses of the scenarios."""

    def locate(self, ip_text: str) -> IpLocation:
        return LOCATIONS.get(ip_text, IpLocation("", ""))

    def age_s(self) -> float:
        return 0.0

    def reload(self) -> None:
        pass

    def reload_if_changed(self) -> None:
        pass


def read_scenarios() -> list[Scenario]:
    return [scenario for path in sorted(HERE.glob("*.yaml")) for scenario in _read(path)]


def _read(path: Path) -> Iterator[Scenario]:
    document = yaml.safe_load(path.read_text())
    defaults = document["defaults"]
    for row in document["scenarios"]:
        yield Scenario(
            path.stem,
            row["name"],
            row.get("policy", {}),
            _merged_store(defaults["store"], row.get("store", [])),
            {**defaults["request"], **row.get("request", {})},
            row["expect"],
            row.get("store_fails", ""),
        )


def _merged_store(defaults: list[Table], rows: list[Table]) -> list[Table]:
    """A row of the same subject overrides what it names."""
    merged = {_subject_of(row): dict(row) for row in defaults}
    for row in rows:
        merged[_subject_of(row)] = {**merged.get(_subject_of(row), {}), **row}
    return list(merged.values())


def _subject_of(row: Table) -> Subject:
    if "account" in row:
        return Subject(SubjectKind.ACCOUNT, str(row["account"]))
    return Subject(SubjectKind.DEVICE, str(row["device"]))


def policy_of(scenario: Scenario) -> Policy:
    given = policy_from(scenario.policy)
    # Storing a signal sends commands to Redis outside the request; the scenarios count only those of requests.
    signals = replace(given.signals, store_global_privacy_control=False, store_industry_opt_out=False)
    return replace(given, signals=signals, networks=given.networks or DEFAULT_POLICY.networks)


def request_of(scenario: Scenario) -> pb.DecideRequest:
    request: pb.DecideRequest = ParseDict(dict(_with_strings(scenario.request)), pb.DecideRequest())
    return request


def _with_strings(table: Table) -> Table:
    """Put the consent strings in the place of their names (``@name``)."""
    return {
        key: _with_strings(value) if isinstance(value, dict)
        else STRINGS[value[1:]] if isinstance(value, str) and value.startswith("@")
        else value
        for key, value in table.items()
    }  # fmt: skip


def stored(scenario: Scenario, owner_of: OwnerOf) -> dict[Subject, StoredRecords]:
    """The records of a scenario, as bytes."""
    records = {}
    for row in scenario.store:
        subject = _subject_of(row)
        owner = owner_of(subject)
        records[subject] = StoredRecords(
            subject.kind, owner, _preference(row.get("preference"), owner), _profile(row.get("profile"), owner)
        )
    return records


def _damaged(value: bytes, how: str) -> bytes:
    assert how == "corrupt", how
    return value[:-1] + bytes([value[-1] ^ 1])


def _preference(given: Table | str | None, owner: bytes) -> bytes | None:
    if given is None or given == "absent":
        return None
    if isinstance(given, str):
        foreign = bytes(16) if given == "of another owner" else owner
        value = encode_preference(Preference(), foreign)
        return value if given == "of another owner" else _damaged(value, given)
    birth_day = None
    if "age" in given:
        today = date_of(person_day(time.time()))
        birth_day = day_of(today.replace(year=today.year - given["age"], day=min(today.day, 28))) - (today.day > 28)
    return encode_preference(
        Preference(
            choice=Choice[given.get("choice", "NONE")],
            country=given.get("country", ""),
            language=given.get("language", ""),
            birth_day=birth_day,
        ),
        owner,
    )


def _profile(given: Table | str | None, owner: bytes) -> bytes | None:
    if given is None or given == "absent":
        return None
    if isinstance(given, str):
        value = encode_profile(Profile(), bytes(16) if given == "of another owner" else owner)
        return value if given == "of another owner" else _damaged(value, given)
    now = int(time.time())
    return encode_profile(
        Profile(
            gender=Gender[given.get("gender", "UNKNOWN")],
            occupation=given.get("occupation", ""),
            postal_code=given.get("postal_code", ""),
            interests=tuple(
                HeldInterest(each["segment"], SegmentKind.CONTENT, each["score"], now)
                for each in given.get("interests", [])
            ),
            destinations=tuple(
                HeldDestination(each["country"], each["weight"], now) for each in given.get("destinations", [])
            ),
            exposures=tuple(
                HeldExposure(each["ad"], each["impressions"], each["clicks"], now - each["age_s"])
                for each in given.get("exposures", [])
            ),
            version=1,
            created_s=now,
            updated_s=now,
        ),
        owner,
    )


def check(scenario: Scenario, answer: pb.DecideResponse) -> None:
    """Compare an answer with what the scenario expects of it."""
    expect = scenario.expect
    assert pb.Mode.Name(answer.mode) == f"MODE_{expect['mode']}"
    assert [pb.Reason.Name(reason) for reason in answer.reasons] == [f"REASON_{name}" for name in expect["reasons"]]
    assert answer.HasField("behavioural") == (expect["mode"] == "BEHAVIOURAL")
    for field, value in expect.get("limited", {}).items():
        assert getattr(answer.limited, field) == value, field
    if "behavioural" in expect:
        _check_behavioural(expect["behavioural"], answer.behavioural)
    for network in answer.networks:
        assert network.HasField("profile") == network.profile_shared
        assert bool(network.network_user_id) == network.id_shared
    for name, wanted in expect.get("networks", {}).items():
        network = next(each for each in answer.networks if each.network_id == name)
        for field, value in wanted.items():
            if field == "reasons":
                assert list(network.reasons) == [pb.Reason.Value(f"REASON_{reason}") for reason in value], name
            else:
                assert getattr(network, field) == value, (name, field)


def _check_behavioural(wanted: Table, features: pb.BehaviouralFeatures) -> None:
    found = {
        "gender": pb.Gender.Name(features.demographics.gender),
        "age_bracket": pb.AgeBracket.Name(features.demographics.age_bracket),
        "occupation": features.demographics.occupation,
        "postal_prefix": features.demographics.postal_prefix,
        "interests": [each.segment_id for each in features.interests],
        "call_destinations": [each.country for each in features.call_destinations],
        "exposures": [each.ad_id for each in features.exposures],
    }
    assert {name: found[name] for name in wanted} == wanted
