"""The policy in the shadow is refused and reloaded as the policy in force is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from server.metrics.metrics import Metrics
from server.policy import shadow_policy
from server.policy.current_policy import CurrentPolicy, read_policy
from server.policy.shadow_policy import ShadowPolicy
from targeting.policy.policy import Policy, PolicyError


def opened(folder: Path, setting: str = "", policy: str = 'version = "one"') -> tuple[CurrentPolicy, ShadowPolicy]:
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    metrics = Metrics()
    path = str(folder / "policy.toml")
    rules = CurrentPolicy(path, read_policy(path), b"", metrics)
    return rules, ShadowPolicy(setting and str(folder / setting), rules, metrics)


def version_of(shadow: Callable[[], Policy | None]) -> str | None:
    policy = shadow()
    return None if policy is None else policy.version


def test_there_is_none_unless_one_is_named(tmp_path: Path) -> None:
    _, shadow = opened(tmp_path)
    assert shadow() is None
    assert shadow.reload()
    assert shadow() is None


def test_an_invalid_one_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "shadow.toml").write_text("version = 3", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"shadow\.toml:1: version: must be a string"):
        opened(tmp_path, "shadow.toml")


@pytest.mark.parametrize("setting", ["shadow.toml", ""], ids=["by the setting", "by the policy"])
def test_it_is_reloaded_whole_or_stays(tmp_path: Path, setting: str) -> None:
    file = tmp_path / "shadow.toml"
    file.write_text('version = "next"', encoding="utf-8")
    _, shadow = opened(tmp_path, setting, 'version = "one"\nshadow = "shadow.toml"')
    versions = [version_of(shadow)]
    for content in ('version = "later"', "version = 3", "", 'version = "last"'):
        file.write_text(content, encoding="utf-8")
        shadow.reload()
        versions.append(version_of(shadow))
    assert versions == ["next", "later", "later", "later", "last"]


def test_the_setting_goes_before_the_policy(tmp_path: Path) -> None:
    for name in ("set", "named"):
        (tmp_path / f"{name}.toml").write_text(f'version = "{name}"', encoding="utf-8")
    _, shadow = opened(tmp_path, "set.toml", 'shadow = "named.toml"')
    assert version_of(shadow) == "set"


def test_an_unforeseen_fault_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "shadow.toml").write_text('version = "next"', encoding="utf-8")
    _, shadow = opened(tmp_path, "shadow.toml")

    def fault(path: Path, *, may_be_empty: bool) -> Policy:
        raise LookupError("secret text")

    monkeypatch.setattr(shadow_policy, "load_policy", fault)
    assert not shadow.reload()
    assert version_of(shadow) == "next"
    assert "secret text" not in caplog.text
