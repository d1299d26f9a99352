"""A decision record, pasted into ``/inspect``: what it tells, what another policy would change, and bad lines."""

from collections.abc import Iterator

import pytest

from targeting.decision_records.form import (
    ConsentFacts,
    DecisionRecord,
    NetworkFacts,
    PlaceFacts,
    RequestFacts,
    SubjectFacts,
)
from targeting.decision_records.lines import line_of
from targeting.policy.networks import MAX_IPV6_BITS
from tests.server.web.site import Answer, Site, Visitor, running_site

POLICY = 'version = "inspected"\n[children]\nage = 16\n[[networks]]\nid = "house"\nfields = ["interests"]\n'
HOUSE = NetworkFacts(id="house", contact=True, fields=("interests",), ipv4_bits=24, ipv6_bits=MAX_IPV6_BITS)
OF_A_TEENAGER = DecisionRecord(
    v=1,
    hour="2026-11-29T10Z",
    policy="inspected",
    mode="LIMITED",
    reasons=("UNDER_AGE",),
    request=RequestFacts(account=True),
    places=PlaceFacts(client="US", ip="US"),
    consent=ConsentFacts(),
    store="asked",
    subjects=(SubjectFacts(kind="account", choice="opted_in", age=(13, 16)),),
    networks=(HOUSE,),
)


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("inspected")
    policy = directory / "policy.toml"
    policy.write_text(POLICY)
    with running_site(directory, policy=str(policy), web_account_header="", web_trusted_proxies="") as site:
        yield site


def ask(site: Site, line: str, path: str = "/inspect", **form: str) -> Answer:
    return Visitor(site, ip="").post(path, {"pasted": line, **form})


def text_of(record: DecisionRecord) -> str:
    return line_of(record).decode()


def test_a_record_is_shown_as_a_ladder(inspected: Site) -> None:
    words = ask(inspected, text_of(OF_A_TEENAGER)).words
    assert "LIMITED: country, language and IP location, nothing else. UNDER_AGE" in words
    assert (
        "preference record of the account opted in, age at least 13, under 16 limits first to limit UNDER_AGE" in words
    )
    assert "Network house contact yes profile no: the decision is LIMITED" in words


def test_a_record_is_judged_under_another_policy(inspected: Site) -> None:
    younger = POLICY.replace("age = 16", "age = 13")
    assert "children as recorded loosens" in ask(inspected, text_of(OF_A_TEENAGER), other_policy=younger).words
    assert "Nothing would change." in ask(inspected, text_of(OF_A_TEENAGER), other_policy=POLICY).words
    assert "other policy" not in ask(inspected, text_of(OF_A_TEENAGER)).words.partition("Ask again")[0]


def test_a_behavioural_record_has_no_limit_to_lift(inspected: Site) -> None:
    adult = SubjectFacts(kind="account", choice="opted_in")
    known = DecisionRecord(
        v=1, hour=OF_A_TEENAGER.hour, policy="inspected", mode="BEHAVIOURAL", subjects=(adult,), networks=(HOUSE,)
    )
    words = ask(inspected, text_of(known)).words
    assert "BEHAVIOURAL: every check says yes." in words
    assert "profile yes" in words
    assert "first to limit" not in words


def test_a_record_can_be_taken_along_as_text(inspected: Site) -> None:
    answer = ask(inspected, text_of(OF_A_TEENAGER), "/inspect/text")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "under 16, limits  <- UNDER_AGE (first limit)" in answer.text
    assert "(policy inspected)" in answer.text


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (text_of(OF_A_TEENAGER).replace('"v":1', '"v":2'), "pasted: has a newer form: version 2"),
        (text_of(OF_A_TEENAGER).replace("UNDER_AGE", "UNDER_THE_WEATHER"), "pasted: has a reason that this version"),
        (text_of(OF_A_TEENAGER).replace("asked", "amused"), "pasted: is damaged: not of the form, at $.store"),
        (text_of(OF_A_TEENAGER)[:-9], "pasted: is not JSON"),
        ('{"kind":"policy","v":1,"version":"a","settings":{}}', "pasted: is the record of a policy, not of a decision"),
    ],
    ids=["newer", "unknown reason", "damaged", "cut", "a policy"],
)
@pytest.mark.parametrize("path", ["/inspect", "/inspect/text"])
def test_a_line_that_cannot_be_read_says_why(inspected: Site, line: str, problem: str, path: str) -> None:
    answer = ask(inspected, line, path)
    assert answer.status == 400
    assert problem in answer.words


def test_a_policy_to_compare_with_that_cannot_be_read_is_named(inspected: Site) -> None:
    answer = ask(inspected, text_of(OF_A_TEENAGER), other_policy="= =")
    assert (answer.status, "other_policy: is not TOML" in answer.words) == (400, True)
