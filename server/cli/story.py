"""The guided tour of ``adtargeting demo``, scene by scene: a request, its decision and what it means."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from adtargeting.v1 import preference_pb2
from adtargeting.v1 import targeting_pb2 as pb
from rich.console import Console
from rich.text import Text

from server.cli.explain import show_explanation
from server.cli.shell import table
from server.cli.show import NOTHING, age, gender, interest_name, limited_table, show_behavioural, show_mode, yes_no
from server.sample.person import Person
from server.sample.personas import Persona, find_personas
from server.sample.truth import ad_request, expected
from server.store.embedded.server import EmbeddedRedis
from targeting.inspection.reason_text import names_of

if TYPE_CHECKING:
    from server.cli.client import Client

_NETWORK = "partner"
_RECOVERY_S = 5.0
_RETRY_S = 0.05
_WITHOUT_STORE = {pb.REASON_STORE_UNAVAILABLE, pb.REASON_STORE_TIMEOUT}


class Stage(NamedTuple):
    """The parts of a scene."""

    out: Console
    client: "Client"
    store: EmbeddedRedis
    people: Sequence[Person]

    def say(self, *lines: str) -> None:
        """Print a paragraph."""
        self.out.print(" ".join(lines))

    def scene(self, title: str) -> None:
        """Begin a scene."""
        self.out.print()
        self.out.print(Text(title, "bold cyan"))

    def decide(self, person: Person) -> pb.DecideResponse:
        """Decide a person's ad request, with one third-party network."""
        decision: pb.DecideResponse = self.client.call(self.client.targeting.Decide, _request(person))
        return decision


def tell(stage: Stage) -> None:
    """Run all scenes."""
    personas = find_personas(stage.people)
    known = personas[Persona.PROFILED]
    before = _known_person(stage, known)
    after = _opts_out(stage, known)
    _at_the_network(stage, before, after)
    _others(stage, personas)
    _without_store(stage, _second(stage.people, known))
    _why(stage, known)


def _known_person(stage: Stage, person: Person) -> pb.DecideResponse:
    stage.scene("1. A person with a profile")
    stage.say(f"{person.account_id} reads the news in the United States and has made no choice.",
              "The ad server asks which data it may use to choose the ad:\n")  # fmt: skip
    decision = stage.decide(person)
    show_mode(stage.out, decision)
    show_behavioural(stage.out, decision.behavioural)
    return decision


def _opts_out(stage: Stage, person: Person) -> pb.DecideResponse:
    stage.scene("2. The same person opts out")
    choice = preference_pb2.SetPreferenceRequest(
        account_id=person.account_id,
        choice=preference_pb2.CHOICE_OPT_OUT,
        source=preference_pb2.SOURCE_ACCOUNT_PAGE,
        change_id="demo",
    )
    receipt = stage.client.call(stage.client.preferences.SetPreference, choice)
    stage.say(f"The choice is stored as version {receipt.version} and holds from the next request on:\n")
    decision = stage.decide(person)
    show_mode(stage.out, decision)
    stage.out.print(limited_table(decision.limited))
    stage.say("Only country, language and IP location are used now. The profile is frozen, not deleted.")
    return decision


def _at_the_network(stage: Stage, before: pb.DecideResponse, after: pb.DecideResponse) -> None:
    stage.scene(f"3. What the ad network “{_NETWORK}” receives")
    stage.say("A network receives what the policy allows, never an account id, a device id or a full address;",
              "after the opt-out it receives no profile at all:\n")  # fmt: skip
    made = table("", "before", "after")
    made.columns[1].no_wrap = False
    columns = (_network_rows(before.networks[0]), _network_rows(after.networks[0]))
    for name in columns[0]:
        made.add_row(name, *(column[name] for column in columns))
    stage.out.print(made)


def _network_rows(network: pb.NetworkDecision) -> dict[str, str]:
    profile = network.profile
    interests = ", ".join(interest_name(each.segment_id) for each in profile.interests[:3])
    return {
        "may be contacted": yes_no(network.contact_allowed),
        "country": network.limited.country,
        "language": network.limited.language,
        "IP address": network.masked_ip,
        "profile": yes_no(network.profile_shared),
        "  age": age(profile.age_bracket),
        "  gender": gender(profile.gender),
        "  interests": f"{interests}, ..." if interests else NOTHING,
        "network-scoped id": network.network_user_id or NOTHING,
        "withheld for": names_of(network.reasons),
    }


def _others(stage: Stage, personas: dict[Persona, Person]) -> None:
    stage.scene("4. Three other people")
    stage.say("A child, a person without a profile, and a person in Europe who has not consented:\n")
    made = table("person", "mode", "reasons")
    for persona in (Persona.CHILD, Persona.UNKNOWN, Persona.EUROPEAN):
        decision = stage.decide(personas[persona])
        made.add_row(persona.value, pb.Mode.Name(decision.mode).removeprefix("MODE_"), names_of(decision.reasons))
    stage.out.print(made)


def _without_store(stage: Stage, person: Person) -> None:
    stage.scene("5. The store fails")
    before = stage.decide(person)
    stage.say(f"The decision for {person.account_id} is {_mode(before)}. Now Redis stops:\n")
    stage.store.stop()
    started = time.perf_counter()
    decision = stage.decide(person)
    spent_ms = (time.perf_counter() - started) * 1000
    show_mode(stage.out, decision)
    stage.out.print(limited_table(decision.limited))
    stage.say(f"Answered in {spent_ms:.1f} ms: the ad is served, with limited features.")


def _why(stage: Stage, person: Person) -> None:
    stage.scene("6. Why was a decision limited?")
    stage.store.start()
    stage.say(f"Redis is back, with every choice that was acknowledged. Every check for {person.account_id}:\n")
    show_explanation(stage.out, _explained(stage, person))


def _explained(stage: Stage, person: Person) -> pb.ExplainResponse:
    """Explain the decision once the service is connected to its store again."""
    until_s = time.monotonic() + _RECOVERY_S
    while True:
        explained: pb.ExplainResponse = stage.client.call(stage.client.targeting.Explain, _request(person))
        if _WITHOUT_STORE.isdisjoint(explained.decision.reasons) or time.monotonic() > until_s:
            return explained
        time.sleep(_RETRY_S)


def _request(person: Person) -> pb.DecideRequest:
    request = ad_request(person)
    del request.third_party_networks[:]
    request.third_party_networks.append(_NETWORK)
    return request


def _second(people: Sequence[Person], first: Person) -> Person:
    """Return another person whose data may be used."""
    return next(each for each in people if each.account_id and each != first and not expected(each).reasons)


def _mode(decision: pb.DecideResponse) -> str:
    return pb.Mode.Name(decision.mode).removeprefix("MODE_")
