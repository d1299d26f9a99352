"""Demographics: the records come first, and the NAP cookie fills what they leave open."""

from array import array

import pytest

from targeting.behavioural import PersonData, behavioural_features
from targeting.features.batch import Demographics
from targeting.features.encode import AGE, GENDER, OCCUPATION
from targeting.model import AgeBracket, Gender
from targeting.policy.policy import DEFAULT_POLICY
from targeting.records.profile import Profile, encode_profile, read_profile
from targeting.signals.nap import Nap
from tests.targeting.test_reprs import NOW_S, OWNER, a_grant

BORN_1980 = 3_700
FULL_NAP = Nap(age=20, gender=Gender.MALE, occupation="pilot", postal_code="10115 Berlin")

CASES = [
    ("nothing is known", Profile(), None, None, (AgeBracket.UNKNOWN, Gender.UNKNOWN, "", "")),
    (
        "the records alone",
        Profile(gender=Gender.FEMALE, occupation="baker", postal_code="98052"),
        BORN_1980,
        None,
        (AgeBracket.FROM_45, Gender.FEMALE, "baker", "980"),
    ),
    ("the cookie alone", Profile(), None, FULL_NAP, (AgeBracket.FROM_18, Gender.MALE, "pilot", "101")),
    (
        "the records win",
        Profile(gender=Gender.FEMALE, occupation="baker", postal_code="98052"),
        BORN_1980,
        FULL_NAP,
        (AgeBracket.FROM_45, Gender.FEMALE, "baker", "980"),
    ),
    ("a cookie without an age", Profile(), None, Nap(), (AgeBracket.UNKNOWN, Gender.UNKNOWN, "", "")),
]


@pytest.mark.parametrize(
    ("profile", "birth_day", "nap", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_demographics(
    profile: Profile, birth_day: int | None, nap: Nap | None, expected: tuple[AgeBracket, Gender, str, str]
) -> None:
    known = PersonData(read_profile(encode_profile(profile, OWNER), OWNER), birth_day, nap)
    (person,) = behavioural_features(a_grant(), [known], DEFAULT_POLICY, NOW_S)
    assert person.demographics == Demographics(*expected)


@pytest.mark.parametrize(
    "nap",
    [Nap(), Nap(age=20), Nap(gender=Gender.MALE), FULL_NAP],
    ids=["nothing is known", "an age", "a gender", "everything"],
)
def test_the_vector_says_the_same(nap: Nap) -> None:
    known = PersonData(read_profile(encode_profile(Profile(), OWNER), OWNER), None, nap)
    (person,) = behavioural_features(a_grant(), [known], DEFAULT_POLICY, NOW_S)
    vector = list(array("f", person.vector))
    stated = person.demographics
    assert vector[AGE] == [float(bracket == stated.age_bracket) for bracket in AgeBracket if bracket]
    assert vector[GENDER] == [float(gender == stated.gender) for gender in Gender if gender]
    assert vector[OCCUPATION] == float(stated.occupation != "")
