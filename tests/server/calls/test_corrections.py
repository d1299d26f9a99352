"""UpdateProfile: a person corrects declared attributes."""

from typing import Any

import pytest
from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2
from adtargeting.v1.preference_pb2 import Date

from server.errors import InvalidRequest, NotAllowed
from server.store.ports import StoreUnavailable
from targeting.reasons import Reason, reasons_in
from tests.server.calls.contended_stores import Stale
from tests.server.calls.declared_attributes import DECLARED, PATHS
from tests.server.calls.direct_service import Service, viewed


def date(year: int, month: int, day: int) -> Date:
    return Date(year=year, month=month, day=day)


BAD_PATHS = {
    "an unknown one": (["occupation", "email"], "update_mask.paths[1]"),
    "a longer one": (["declared.occupation"], "update_mask.paths[0]"),
    "none": ([], "update_mask"),
}
BAD_VALUES: dict[str, tuple[str, Any]] = {
    "no date": ("birth_date", date(1990, 2, 30)),
    "a date to come": ("birth_date", date(2100, 1, 1)),
    "an unknown gender": ("gender", 9),
    "a long occupation": ("occupation", "é" * 33),
    "an e-mail address": ("occupation", "bob@example.com"),
    "a phone number": ("occupation", "call 415 555 2671"),
    "a control": ("occupation", "ba\nker"),
    "a long postal code": ("postal_code", "1" * 17),
    "too many digits": ("postal_code", "12345678901"),
    "a phone number as postal code": ("postal_code", "415-555-2671"),
    "a phone number as one": ("postal_code", "4155552671"),
    "a phone number with spaces": ("postal_code", "06 1234 5678"),
    "a name as postal code": ("postal_code", "johnsmith"),
    "an e-mail address as postal code": ("postal_code", "bob@x.uk"),
    "no country": ("country", "XX"),
    "no language": ("language", "?"),
}
POSTAL_CODES = [
    "94103",
    "94103-1234",
    "SW1A 1AA",
    "1012 AB",
    "01310-100",
    "100-0001",
    "SE-123 45",
    "LV-1010",
    "12345-67890",
    "HM CX",
]


class TestUpdate:
    def test_what_is_named_is_corrected(self, calls: Service) -> None:
        calls.record(viewed("a1"))
        answer = calls.update(["occupation"], DECLARED, account_id="alice")
        assert (answer.declared, answer.version) == (pb.DeclaredAttributes(occupation="baker"), 2)
        assert calls.get(account_id="alice").declared == answer.declared

    def test_an_unknown_person_may_declare(self, calls: Service) -> None:
        calls.update(PATHS, DECLARED, device_id="phone")
        assert calls.get(device_id="phone").declared.occupation == "baker"
        assert calls.outcomes(viewed(device_id="phone")) == ["RECORDED"]

    def test_what_is_empty_is_withdrawn(self, calls: Service) -> None:
        calls.update(PATHS, DECLARED, account_id="alice")
        assert calls.update(PATHS, pb.DeclaredAttributes(), account_id="alice").declared == pb.DeclaredAttributes()

    @pytest.mark.parametrize(("paths", "field"), BAD_PATHS.values(), ids=BAD_PATHS)
    def test_a_path_that_is_none_is_named(self, calls: Service, paths: list[str], field: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            calls.update(paths, DECLARED, account_id="alice")
        assert caught.value.field == field

    @pytest.mark.parametrize(("path", "value"), BAD_VALUES.values(), ids=BAD_VALUES)
    def test_a_value_that_cannot_be_taken_is_named(self, calls: Service, path: str, value: Any) -> None:
        with pytest.raises(InvalidRequest) as caught:
            calls.update([path], pb.DeclaredAttributes(**{path: value}), account_id="alice")
        assert caught.value.field == f"declared.{path}"
        assert not calls.get(account_id="alice").profile_held

    @pytest.mark.parametrize("postal_code", POSTAL_CODES)
    def test_postal_codes_of_the_world(self, calls: Service, postal_code: str) -> None:
        declared = pb.DeclaredAttributes(postal_code=postal_code)
        assert calls.update(["postal_code"], declared, account_id="alice").declared == declared

    def test_what_is_not_named_is_not_looked_at(self, calls: Service) -> None:
        declared = pb.DeclaredAttributes(gender=targeting_pb2.GENDER_MALE, occupation="bob@example.com")
        assert calls.update(["gender"], declared, account_id="alice").declared.occupation == ""

    def test_a_person_who_has_opted_out_may_not(self, calls: Service) -> None:
        calls.opt_out(account_id="alice")
        with pytest.raises(NotAllowed):
            calls.update(["occupation"], DECLARED, account_id="alice")

    def test_a_child_that_a_correction_shows_stops_everything(self, calls: Service) -> None:
        calls.record(viewed("a1"))
        child = pb.DeclaredAttributes(birth_date=Date(year=2020, month=1, day=1))
        calls.update(["birth_date"], child, account_id="alice")
        assert calls.outcomes(viewed("a2")) == ["SUPPRESSED UNDER_AGE"]
        assert reasons_in(calls.decide("alice").reasons) == (Reason.UNDER_AGE,)
        with pytest.raises(NotAllowed):
            calls.update(["birth_date"], DECLARED, account_id="alice")

    def test_a_correction_that_meets_another_is_made_again(self) -> None:
        store = Stale(3)
        answer = Service(store, store).update(["occupation"], DECLARED, account_id="alice")
        assert answer.version == 1

    def test_a_subject_that_never_rests_is_unavailable(self) -> None:
        store = Stale(1000)
        with pytest.raises(StoreUnavailable):
            Service(store, store).update(["occupation"], DECLARED, account_id="alice")
