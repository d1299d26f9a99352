"""What people and operators do on the pages is in the audit log, under the name of the pages."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.calls.audited import pseudonym_text
from server.security.tokens import digest_of, new_token
from targeting.model import Subject, SubjectKind
from tests.server.web.site import Site, Visitor, running_site


class Audited:
    """A site, and the entries that its visitors leave."""

    def __init__(self, site: Site, log: Path) -> None:
        self.site = site
        self._log = log
        self._seen = 0

    def entries(self) -> list[dict[str, Any]]:
        """The entries since the last question."""
        lines = self._log.read_text().splitlines()
        new, self._seen = lines[self._seen :], len(lines)
        return [json.loads(line) for line in new]

    def pseudonym(self, account: str) -> str:
        return pseudonym_text(self.site.service.store.pseudonyms.owner(Subject(SubjectKind.ACCOUNT, account)))


@pytest.fixture
def audited(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Audited]:
    log = tmp_path / "audit.log"
    with running_site(tmp_path / "data", audit_log=str(log), **request.param) as site:
        yield Audited(site, log)


signed_in = pytest.mark.parametrize("audited", [{}], indirect=True)
without_proxy = pytest.mark.parametrize(
    "audited", [{"web_account_header": "", "web_trusted_proxies": ""}], indirect=True
)


@signed_in
def test_a_choice_on_the_page_has_an_entry_and_an_actor(audited: Audited) -> None:
    assert Visitor(audited.site, "alice").choose("account", "opt-out").status == 200
    (choice,) = [entry for entry in audited.entries() if entry["call"] == "SetPreference"]
    assert (choice["actor"], choice["outcome"]) == ("internal:pages", "ok")
    assert choice["subjects"] == [audited.pseudonym("alice")]


@without_proxy
def test_a_use_of_the_inspector_has_an_entry_about_everyone_it_asks_for(audited: Audited) -> None:
    form = {"ip": "8.8.8.8", "account_id": "alice", "linked_account_ids": "bob"}
    assert Visitor(audited.site, ip="").post("/inspect", form).status == 200
    (entry,) = [entry for entry in audited.entries() if entry["call"] == "Inspect"]
    assert entry["outcome"] == "ok"
    assert set(entry["subjects"]) == {audited.pseudonym("alice"), audited.pseudonym("bob")}


def test_the_inspector_is_for_clients_with_its_role_and_their_name_is_kept(tmp_path: Path) -> None:
    log, clients, tokens = tmp_path / "audit.log", tmp_path / "clients.toml", (new_token(), new_token())
    clients.write_text(
        "".join(
            f'[[clients]]\nname = "{name}"\nroles = ["{role}"]\ntoken_sha256 = ["{digest_of(token.encode()).hex()}"]\n'
            for name, role, token in zip(("engineer", "ads"), ("inspect", "decide"), tokens, strict=True)
        )
    )
    with running_site(tmp_path / "data", audit_log=str(log), clients=str(clients)) as site:
        statuses = [
            site.ask("POST", "/inspect", [*form_headers(site), *credential], "account_id=alice").status
            for credential in ([], [bearer(tokens[1])], [bearer(tokens[0])])
        ]
        entries = [(entry["call"], entry["actor"], entry["outcome"]) for entry in Audited(site, log).entries()]
    assert statuses == [401, 403, 200]
    assert ("Inspect", "engineer", "ok") in entries
    assert sum(outcome in {"unauthenticated", "permission_denied"} for _, _, outcome in entries) == 2


def form_headers(site: Site) -> list[tuple[str, str]]:
    return [("Origin", site.origin), ("Content-Type", "application/x-www-form-urlencoded")]


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"
