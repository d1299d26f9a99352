"""What another policy would loosen and tighten, as far as the two alone can tell.

Where they cannot, a change counts as a loosening. Networks are compared by id: a new one with one that is not listed,
which may receive limited features only. Rules are compared by what they withhold: ``rules.2`` is the second rule of the
old policy. Example: ``masks.ipv4_bits`` from 16 to 24 loosens, ``children.age_by_country.DE`` from 13 to 16 tightens.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from targeting.policy.directions import DIRECTIONS, Effect
from targeting.policy.networks import NetworkPolicy, NetworkRule
from targeting.policy.policy import ChildrenPolicy, Policy


class Difference(NamedTuple):
    """One difference: the key, what the change does, and the values before and after."""

    name: str
    effect: Effect
    old: object
    new: object


def compare_policies(old: Policy, new: Policy) -> list[Difference]:
    """Return the differences, in the order of a policy file."""
    differences: list[Difference] = []
    for table in DIRECTIONS:
        if table != "networks":
            differences += _table(table, getattr(old, table) if table else old, getattr(new, table) if table else new)
    return [
        *differences,
        *_vendor_lists(old, new),
        *_ages(old.children, new.children),
        *_networks(old, new),
        *_rules(old.rules, new.rules),
    ]


def not_allowed(differences: Iterable[Difference], allowed: Collection[str]) -> list[Difference]:
    """Return the loosenings whose name, or a name above it, is not allowed: ``networks.acme`` allows all below it."""
    return [
        difference
        for difference in differences
        if difference.effect is Effect.LOOSENS and not is_allowed(difference.name, allowed)
    ]


def is_allowed(name: str, allowed: Collection[str]) -> bool:
    """Whether a name, or a name above it, is allowed."""
    return any(name == allowance or name.startswith(f"{allowance}.") for allowance in allowed)


def _table(table: str, old: Any, new: Any, prefix: str = "") -> Iterator[Difference]:
    for key, direction in DIRECTIONS[table].items():
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            name = ".".join(filter(None, (prefix or table, key)))
            for effect in sorted(direction(before, after)):
                yield Difference(name, effect, before, after)


def _vendor_lists(old: Policy, new: Policy) -> Iterator[Difference]:
    """Compare lists of another content in a file of the same name."""
    if old.gdpr.vendor_list == new.gdpr.vendor_list and old.vendor_list != new.vendor_list:
        versions = [policy.vendor_list and policy.vendor_list.vendor_list_version for policy in (old, new)]
        yield Difference("gdpr.vendor_list", Effect.LOOSENS, *versions)


def _ages(old: ChildrenPolicy, new: ChildrenPolicy) -> Iterator[Difference]:
    """Compare the ages that apply, wherever they come from."""
    subdivisions = sorted({*old.age_by_subdivision, *new.age_by_subdivision})
    countries = sorted({*old.age_by_country, *new.age_by_country, *(code[:2] for code in subdivisions)})
    places: list[tuple[str, str, tuple[str, ...]]]
    places = [(f"age_by_country.{country}", country, ()) for country in countries]
    places += [(f"age_by_subdivision.{code}", code[:2], (code,)) for code in subdivisions]
    ages = [("age", old.age, new.age)]
    ages += [(name, old.age_in(country, codes), new.age_in(country, codes)) for name, country, codes in places]
    for name, before, after in ages:
        if before != after:
            effect = Effect.LOOSENS if after < before else Effect.TIGHTENS
            yield Difference(f"children.{name}", effect, before, after)


def _networks(old: Policy, new: Policy) -> Iterator[Difference]:
    for name in dict.fromkeys((*old.by_id, *new.by_id)):
        before, after = old.by_id.get(name), new.by_id.get(name)
        listed = before or after
        unlisted = NetworkPolicy(id=listed.id if listed else name)
        found = list(_table("networks", before or unlisted, after or unlisted, prefix=f"networks.{unlisted.id}"))
        if not found and (before is None or after is None):
            found = [Difference(f"networks.{unlisted.id}", Effect.CHANGES, before is not None, after is not None)]
        yield from found


def _rules(old: tuple[NetworkRule, ...], new: tuple[NetworkRule, ...]) -> Iterator[Difference]:
    for number, rule in enumerate(old, start=1):
        if lost := [item for item in rule.withhold if not _is_withheld(item, rule, new)]:
            yield Difference(f"rules.{number}", Effect.LOOSENS, tuple(lost), ())
    for rule in new:
        if added := [item for item in rule.withhold if not _is_withheld(item, rule, old)]:
            yield Difference("rules", Effect.TIGHTENS, (), tuple(added))


def _is_withheld(item: str, rule: NetworkRule, others: tuple[NetworkRule, ...]) -> bool:
    """Whether another rule withholds the same from at least the same networks under at least the same conditions."""
    return any(item in other.withhold and _covers(other, rule) for other in others)


def _covers(wider: NetworkRule, rule: NetworkRule) -> bool:
    lists = ("networks", "countries", "subdivisions", "gpp_sections")
    flags = ("global_privacy_control", "do_not_track", "app")
    return all(_includes(getattr(wider, name), getattr(rule, name)) for name in lists) and all(
        getattr(wider, name) in {None, getattr(rule, name)} for name in flags
    )


def _includes(wider: Collection[Any], values: Collection[Any]) -> bool:
    """Whether a condition holds wherever another does; an empty one always holds."""
    return not wider or (bool(values) and set(wider) >= set(values))
