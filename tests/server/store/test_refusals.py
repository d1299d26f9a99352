"""Refused writes: several in a row are a problem, until one is stored or none is tried for a while."""

from server.store.ports import StoreUnavailable
from server.store.refusals import WriteRefusals

FULL = StoreUnavailable("the store refuses: it is out of memory")


def test_a_few_refusals_are_no_problem_and_more_are() -> None:
    refusals = WriteRefusals()
    problems = []
    for _ in range(3):
        refusals.refused(FULL)
        problems.append(refusals.problem())
    assert problems == ["", "", str(FULL)]


def test_a_write_that_is_stored_ends_it() -> None:
    refusals = WriteRefusals()
    for _ in range(3):
        refusals.refused(FULL)
    refusals.stored()
    refusals.refused(FULL)
    assert refusals.problem() == ""


def test_without_further_attempts_it_is_forgotten() -> None:
    refusals = WriteRefusals(remembered_s=0.0)
    for _ in range(5):
        refusals.refused(FULL)
    assert refusals.problem() == ""
