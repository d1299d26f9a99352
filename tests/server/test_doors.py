"""A whole service with locked doors: every listener, the start line, reloads, and the command line as a client."""

import http.client
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.cli.main import main
from server.security.tokens import digest_of
from server.serving import listeners, start_line
from tests.pki import HERE, Authority, Identity, uri
from tests.server.running_service import BOB, settings
from tests.waiting import eventually

TOKEN, METRICS_TOKEN = f"adt_{'d' * 43}", f"adt_{'m' * 43}"
CLIENTS = f"""
[[clients]]
name = "decider"
roles = ["decide"]
token_sha256 = ["{digest_of(TOKEN.encode()).hex()}"]

[[clients]]
name = "privacy-desk"
roles = ["explain", "inspect", "metrics"]
san = ["spiffe://test/desk"]
token_sha256 = ["{digest_of(METRICS_TOKEN.encode()).hex()}"]
"""


class Locked(NamedTuple):
    """A service behind TLS and a clients file, and what its clients have."""

    service: Service
    directory: Path
    servers: Authority
    desk: Identity

    @property
    def ca(self) -> str:
        return str(self.directory / "servers.pem")

    def ask(
        self, address: str, path: str, token: str = "", *, as_desk: bool = False, account: str = ""
    ) -> tuple[int, str]:
        """GET over HTTPS; with a bearer token, or with the desk's certificate; for an account that signed in."""
        context = ssl.create_default_context(cafile=self.ca)
        if as_desk:
            context.load_cert_chain(*self.desk.write(self.directory, "desk"))
        connection = http.client.HTTPSConnection(address, timeout=20, context=context)
        try:
            given = {"authorization": f"Bearer {token}" if token else "", "x-account": account}
            connection.request("GET", path, headers={name: value for name, value in given.items() if value})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    directory, servers, clients = tmp_path_factory.mktemp("locked"), Authority("servers"), Authority("clients")
    certificate, key = servers.issue(sans=HERE).write(directory)
    (directory / "servers.pem").write_bytes(servers.certificate)
    (directory / "clients-ca.pem").write_bytes(clients.certificate)
    (directory / "clients.toml").write_text(CLIENTS)
    given = settings(
        directory,
        # Outside the loopback, as far as the rules can tell; the tests call it there.
        metrics_address="0.0.0.0:0",
        web_address="127.0.0.1:0",
        web_account_header="X-Account",
        web_trusted_proxies="client:privacy-desk",
        tls_cert=str(certificate),
        tls_key=str(key),
        tls_client_ca=str(directory / "clients-ca.pem"),
        clients=str(directory / "clients.toml"),
        drain_grace_s=0,
        gate="http2",
    )
    with Service(given) as service:
        yield Locked(service, directory, servers, clients.issue(sans=[uri("spiffe://test/desk")]))


def here(address: str) -> str:
    return f"127.0.0.1:{address.rpartition(':')[2]}"


def test_the_start_line_says_how_each_listener_is_protected(locked: Locked) -> None:
    line = start_line(locked.service)
    assert "(http2 gate, TLS, clients)" in line
    assert f"metrics on https://{locked.service.metrics_address}/metrics" in line
    assert f"pages on https://{locked.service.web_address}/choice and /inspect" in line
    assert all(each.endswith("(TLS, clients)") for each in listeners(locked.service))


def test_the_proxy_of_the_pages_is_known_by_its_certificate_alone(locked: Locked) -> None:
    address, held = locked.service.web_address, "/choice/download"
    assert locked.ask(address, held, as_desk=True, account="alice")[0] == 200
    assert locked.ask(address, held, METRICS_TOKEN, account="alice")[0] == 400
    assert locked.ask(address, held, account="alice")[0] == 400
    assert locked.ask(address, held, as_desk=True)[0] == 403


def test_metrics_outside_the_loopback_need_the_role_and_probes_need_none(locked: Locked) -> None:
    address = here(locked.service.metrics_address)
    before = locked.service.doors.admission.denied()["metrics"]
    assert locked.ask(address, "/metrics")[0] == 401
    status, said = locked.ask(address, "/metrics", TOKEN)
    assert (status, "the role metrics" in said) == (403, True)
    status, text = locked.ask(address, "/metrics", METRICS_TOKEN)
    assert status == 200
    assert f'adtargeting_denied_calls_total{{role="metrics"}} {before + 2:.1f}' in text
    assert locked.ask(address, "/metrics", as_desk=True)[0] == 200
    assert [locked.ask(address, path)[0] for path in ("/livez", "/readyz")] == [200, 200]


@pytest.mark.parametrize(
    ("token", "as_desk", "status"),
    [("", False, 401), (TOKEN, False, 403), (METRICS_TOKEN, False, 200), ("", True, 200)],
    ids=["no credential", "no role", "a token", "a certificate"],
)
def test_the_inspector_needs_the_role_and_the_page_of_choice_does_not(
    locked: Locked, token: str, as_desk: bool, status: int
) -> None:
    assert locked.ask(locked.service.web_address, "/inspect", token, as_desk=as_desk)[0] == status
    assert locked.ask(locked.service.web_address, "/choice", token, as_desk=as_desk)[0] == 200


def test_new_files_are_served_on_every_listener(locked: Locked) -> None:
    locked.servers.issue(sans=HERE).write(locked.directory)
    locked.service.reload()
    served = (locked.directory / "server.pem").read_text().split()
    for address in (locked.service.address, locked.service.metrics_address, locked.service.web_address):
        host, _, port = here(address).rpartition(":")
        assert ssl.get_server_certificate((host, int(port)), timeout=10).split() == served


def command(locked: Locked, capsys: pytest.CaptureFixture[str], *argv: str, tls: bool = True) -> tuple[int, str, str]:
    options = ("--tls-ca", locked.ca) if tls else ()
    status = main([*argv, "--address", locked.service.address, *options])
    return status, *capsys.readouterr()


@pytest.fixture
def token(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> str:
    path = locked.directory / "token"
    path.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("ADTARGETING_TOKEN_FILE", str(path))
    return str(path)


@pytest.mark.usefixtures("token")
def test_a_command_with_a_token_is_served_or_told_which_role_is_missing(
    locked: Locked, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = command(locked, capsys, "decide", "--account", "bob", "--json")
    assert (status, '"mode"' in out) == (0, True)
    status, _, err = command(locked, capsys, "explain", "--account", "bob")
    assert status == 1
    assert err == (
        "adtargeting: refused, PERMISSION_DENIED: this call needs a client with the role explain; "
        "this client does not have it\n"
    )


def test_a_command_with_a_certificate_is_served(locked: Locked, capsys: pytest.CaptureFixture[str]) -> None:
    certificate, key = map(str, locked.desk.write(locked.directory, "desk"))
    status, out, _ = command(
        locked, capsys, "explain", "--account", "bob", "--json", "--tls-cert", certificate, "--tls-key", key
    )
    assert (status, '"checks"' in out) == (0, True)


REMEDIES = {
    "no credential": ((), True, "UNAUTHENTICATED: this call needs a client with the role decide"),
    "no TLS": ((), False, "if the service speaks TLS, add --tls-ca"),
    "an unknown authority": (("--tls",), False, "its certificate is not trusted; name its authority with --tls-ca"),
    "another name": (
        ("--tls-name", "other.example"),
        True,
        "its certificate has another name; set that name with --tls-name",
    ),
}


@pytest.mark.parametrize(("options", "trusts", "remedy"), REMEDIES.values(), ids=REMEDIES)
def test_a_command_that_is_not_let_in_says_the_remedy(
    locked: Locked, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], trusts: bool, remedy: str
) -> None:
    status, _, err = command(locked, capsys, "decide", "--account", "bob", *options, tls=trusts)
    assert status == 1
    assert remedy in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("has_certificate", "remedy"),
    [
        (False, "its certificate is not trusted"),
        (True, "it refused the client certificate, which must be valid and signed by an authority of its ADTARGETING_"),
    ],
    ids=["an unknown service", "an unknown client"],
)
def test_a_failed_handshake_is_one_line_without_those_of_grpc(
    locked: Locked, tmp_path: Path, has_certificate: bool, remedy: str
) -> None:
    certificate, key = map(str, Authority("others").issue(sans=HERE).write(tmp_path))
    shown = ("--tls-ca", locked.ca, "--tls-cert", certificate, "--tls-key", key) if has_certificate else ("--tls",)
    argv = ("decide", "--account", "bob", "--address", locked.service.address, *shown)
    ended = subprocess.run([sys.executable, "-m", "server", *argv], capture_output=True, check=False)
    assert ended.returncode == 1
    assert remedy in ended.stderr.decode()
    assert ended.stderr.decode().count("\n") == 1


def test_a_token_that_the_service_does_not_list_is_told_from_none(
    locked: Locked, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(token).write_text(f"adt_{'o' * 43}\n")
    _, _, err = command(locked, capsys, "decide", "--account", "bob")
    assert "the token of ADTARGETING_TOKEN_FILE is not in the clients file of the service (ADTARGETING_CLIENTS)" in err
    assert "set ADTARGETING_TOKEN_FILE" not in err
    assert "adt_" not in err


USAGE = {
    "a token to another machine in clear": (("--address", "192.0.2.1:1"), "ADTARGETING_TOKEN_FILE: the token would go"),
    "TLS on a Unix socket": (("--address", "unix:/x", "--tls"), "--tls: a Unix socket has no TLS"),
    "half a client certificate": (("--tls-cert", "x"), "--tls-cert and --tls-key: set both or none"),
    "no file of authorities": (("--tls-ca", "/no/file"), "--tls-ca: /no/file cannot be read: No such file"),
}


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(("options", "problem"), USAGE.values(), ids=USAGE)
def test_a_wrong_use_is_refused_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], problem: str
) -> None:
    assert main(["decide", "--account", "bob", *options]) == 2
    assert problem in capsys.readouterr().err


def test_a_new_token_and_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "new"]) == 0
    made, line = capsys.readouterr().out.splitlines()
    assert line == f'token_sha256 = ["{digest_of(made.encode()).hex()}"]'


@pytest.mark.parametrize("gate", ["grpcio", "http2"])
@pytest.mark.parametrize("mode", ["0600", "0666"])
def test_a_service_on_unix_sockets(tmp_path: Path, gate: str, mode: str) -> None:
    grpc_path, metrics_path, web_path = (tmp_path / f"{name}.sock" for name in ("grpc", "metrics", "web"))
    given = settings(
        tmp_path,
        grpc_address=f"unix:{grpc_path}",
        metrics_address=f"unix:{metrics_path}",
        web_address=f"unix:{web_path}",
        web_origin="https://privacy.example",
        socket_mode=mode,
        gate=gate,
        drain_grace_s=0,
    )
    with Service(given) as service:
        assert "Unix socket" in start_line(service)
        assert f"metrics on unix:{metrics_path} (/metrics), pages on unix:{web_path} (/choice" in start_line(service)
        assert [f"{path.stat().st_mode & 0o777:04o}" for path in (grpc_path, metrics_path)] == [mode, mode]
        with grpc.insecure_channel(service.address) as channel:
            assert TargetingServiceStub(channel).Decide(BOB, timeout=10).mode == pb.MODE_LIMITED


def test_serve_refuses_to_listen_unprotected_outside_the_loopback(tmp_path: Path) -> None:
    environment = {
        "PATH": "",
        "ADTARGETING_GRPC_ADDRESS": "0.0.0.0:0",
        "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_DATA_DIR": str(tmp_path),
        "PYTHONPATH": ":".join(path for path in sys.path if path),
    }
    served = subprocess.run(
        [sys.executable, "-m", "server", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (served.returncode, served.stdout) == (2, "")
    assert served.stderr.startswith("adtargeting: ADTARGETING_GRPC_ADDRESS: listens outside the loopback without TLS")
    assert served.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir()), "nothing was opened"


def test_a_revoked_client_is_denied_on_its_next_call(locked: Locked) -> None:
    credentials = grpc.ssl_channel_credentials(locked.servers.certificate)
    path = locked.directory / "clients.toml"
    with grpc.secure_channel(locked.service.address, credentials) as channel:
        decide, metadata = TargetingServiceStub(channel).Decide, (("authorization", f"Bearer {TOKEN}"),)
        assert decide(BOB, timeout=10, metadata=metadata).mode == pb.MODE_LIMITED
        path.write_text(CLIENTS.replace(digest_of(TOKEN.encode()).hex(), "0" * 64))
        locked.service.request_reload()

        def is_denied() -> bool:
            try:
                decide(BOB, timeout=10, metadata=metadata)
            except grpc.RpcError as problem:
                return bool(problem.code() is grpc.StatusCode.UNAUTHENTICATED)
            return False

        eventually(is_denied)
        path.write_text(CLIENTS)
        locked.service.reload()
        assert decide(BOB, timeout=10, metadata=metadata).mode == pb.MODE_LIMITED
