"""What a clients file costs: the same Decide on two services on one store, one of which asks who calls; turn about."""

from pathlib import Path

from benchmarks import people
from benchmarks.load.processes import start_service
from benchmarks.load.rates import Case, cpu, measure, rate
from benchmarks.load.scene import Scene, behavioural
from benchmarks.reports.figures import Figure
from server.security.tokens import digest_of, new_token

IN_FLIGHT = 64
_CLIENTS = """
[[clients]]
name = "benchmark"
roles = ["decide"]
token_sha256 = ["{digest}"]
"""


def measure_doors(scene: Scene, directory: Path, repeats: int, seconds: float) -> list[Figure]:
    """Measure the calls a second and the CPU time of a call, each as the median ratio of neighbouring samples."""
    token, clients = new_token(), directory / "clients.toml"
    clients.write_text(_CLIENTS.format(digest=digest_of(token.encode()).hex()))
    settings = {
        "ADTARGETING_REDIS_URL": f"unix://{directory / 'redis.sock'}",
        "ADTARGETING_SECRET_KEY_FILE": str(directory / "secret.key"),
    }
    target = scene.target(behavioural("doors", people.request(0)))
    # Both are alike in all but the clients file; the scene's own service keeps the store, too.
    with (
        start_service(_folder(directory, "open"), **settings) as anyone,
        start_service(_folder(directory, "guarded"), **settings, ADTARGETING_CLIENTS=str(clients)) as guarded,
    ):
        shown = target._replace(address=guarded.address, headers=(f"authorization: Bearer {token}",))
        cases = [
            Case("open", [target._replace(address=anyone.address)], IN_FLIGHT, anyone.pid),
            Case("guarded", [shown], IN_FLIGHT, guarded.pid),
        ]
        series = measure(cases, repeats, seconds, directory)
    cost = 100 * (series["guarded"].ratio(series["open"], cpu) - 1)
    slower = 100 * (1 - series["guarded"].ratio(series["open"], rate))
    return [
        Figure(f"a clients file: CPU of a Decide, {IN_FLIGHT} in flight", cost, repeats, "%", most=5),
        Figure(f"a clients file: fewer calls a second, {IN_FLIGHT} in flight", slower, repeats, "%", most=5),
    ]


def _folder(directory: Path, name: str) -> Path:
    made = directory / name
    made.mkdir()
    return made
