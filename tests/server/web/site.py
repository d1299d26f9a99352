"""The pages of a whole service on a real socket, and a visitor who reads them without a browser."""

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import grpc
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.settings import Settings

ACCOUNT_HEADER = "X-Account"
IN_AMERICA = "8.8.8.8"
"""An address where no consent string is needed."""
MUID = "0123456789abcdef0123456789abcdef"


class Answer(NamedTuple):
    """An answer: status, headers by lower-case name, cookies set, and the text."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def words(self) -> str:
        """The text of a page without its tags, in one line."""
        body = re.sub(r"<(head|select).*?</\1>", " ", self.text, flags=re.DOTALL)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


class Site(NamedTuple):
    """A running service with pages."""

    service: Service
    channel: grpc.Channel

    @property
    def origin(self) -> str:
        return f"http://{self.service.web_address}"

    def ask(
        self, method: str, path: str, headers: list[tuple[str, str]] | None = None, body: str | bytes | None = None
    ) -> Answer:
        """Send one request with exactly these headers."""
        connection = http.client.HTTPConnection(self.service.web_address, timeout=20)
        connection.putrequest(method, path)
        for name, value in headers or ():
            connection.putheader(name, value)
        data = body.encode() if isinstance(body, str) else body
        if data is not None:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        cookies = answer.msg.get_all("set-cookie") or []
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, cookies, text)

    def decide(self, **request: Any) -> pb.DecideResponse:
        given = {"ip": IN_AMERICA, **request}
        answer: pb.DecideResponse = TargetingServiceStub(self.channel).Decide(pb.DecideRequest(**given), timeout=20)
        return answer

    def record(self, account_id: str, *segments: str) -> None:
        """Store a profile of an account."""
        activity = prof.Activity(
            account_id=account_id, kind=prof.ACTIVITY_KIND_CONTENT, segment_ids=segments or ("243",)
        )
        activity.client.country = "US"
        request = prof.RecordActivityRequest(activities=[activity])
        answer = ProfileServiceStub(self.channel).RecordActivity(request, timeout=20)
        assert answer.results[0].outcome == prof.OUTCOME_RECORDED

    def choose(self, choice: pref.Choice, **fields: Any) -> None:
        request = pref.SetPreferenceRequest(choice=choice, **fields)
        PreferenceServiceStub(self.channel).SetPreference(request, timeout=20)

    def preferences(self, **subject: str) -> pref.GetPreferencesResponse:
        answer: pref.GetPreferencesResponse = PreferenceServiceStub(self.channel).GetPreferences(
            pref.GetPreferencesRequest(**subject), timeout=20
        )
        return answer


class Visitor(NamedTuple):
    """A visitor of the pages by HTTP alone, as with curl: signed in where ``account_id`` is given."""

    site: Site
    account_id: str = ""
    cookie: str = ""
    more: tuple[tuple[str, str], ...] = ()
    ip: str = IN_AMERICA

    @property
    def headers(self) -> list[tuple[str, str]]:
        given = {ACCOUNT_HEADER: self.account_id, "Cookie": self.cookie, "X-Forwarded-For": self.ip}
        return [*((name, value) for name, value in given.items() if value), *self.more]

    def get(self, path: str = "/choice") -> Answer:
        return self.site.ask("GET", path, self.headers)

    def post(self, path: str, form: dict[str, str] | str, origin: str | None = None) -> Answer:
        body = form if isinstance(form, str) else urlencode(form)
        origin = self.site.origin if origin is None else origin
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        return self.site.ask("POST", path, [*self.headers, kind, *([("Origin", origin)] if origin else [])], body)

    def choose(self, scope: str, choice: str, code: str = "") -> Answer:
        return self.post("/choice", {"scope": scope, "choice": choice, **({"code": code} if code else {})})


@contextmanager
def running_site(data_dir: Path, **settings: Any) -> Iterator[Site]:
    """Serve, with the loopback as the trusted proxy."""
    given = {
        "grpc_address": "127.0.0.1:0",
        "metrics_address": "127.0.0.1:0",
        "web_address": "127.0.0.1:0",
        "web_account_header": ACCOUNT_HEADER,
        "web_trusted_proxies": "127.0.0.1",
        "data_dir": data_dir,
        "decision_budget_ms": 5_000,
        "write_budget_ms": 5_000,
        "drain_grace_s": 1,
    }
    with Service(Settings(**{**given, **settings})) as service, grpc.insecure_channel(service.address) as channel:
        yield Site(service, channel)
