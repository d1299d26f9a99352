"""The sections of the dashboard, in their order."""

from typing import Final

from deploy.grafana.people import ACCESS, NETWORKS, PREFERENCES, PROOF, STORE
from deploy.grafana.processes import PROCESSES
from deploy.grafana.traffic import DECISIONS, LATENCY, OVERVIEW, ROOM

SECTIONS: Final = (OVERVIEW, DECISIONS, LATENCY, ROOM, STORE, PREFERENCES, NETWORKS, ACCESS, PROOF, PROCESSES)
