"""Every fuzzing target by name, and the corpus that it starts from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.fuzzing import (
    file_targets,
    gate_targets,
    message_targets,
    page_targets,
    record_targets,
    signal_targets,
    store_targets,
)

Target = Callable[[bytes], None]

CORPORA: Final = Path(__file__).parents[1] / "data" / "corpora"

TARGETS: Final[Mapping[str, Target]] = {
    "tc_string": signal_targets.tc_string,
    "gpp_string": signal_targets.gpp_string,
    "us_privacy": signal_targets.us_privacy,
    "cookie_header": signal_targets.cookie_header,
    "nap_plaintext": signal_targets.nap_plaintext,
    "accept_language": signal_targets.accept_language,
    "ip_address": signal_targets.ip_address,
    "bid_request": message_targets.bid_request,
    "policy_file": message_targets.policy_file,
    "stored_record": message_targets.stored_record,
    "decide_request": message_targets.decide_request,
    "other_requests": message_targets.other_requests,
    "decision_record": record_targets.decision_record,
    "grpc_message": gate_targets.grpc_message,
    "grpc_timeout": gate_targets.grpc_timeout,
    "weight": gate_targets.weight,
    "connect_json": gate_targets.connect_json,
    "traceparent": gate_targets.traceparent,
    "host_and_origin": gate_targets.host_and_origin,
    "certificate": file_targets.certificate,
    "clients_file": file_targets.clients_file,
    "settings_file": file_targets.settings_file,
    "vendor_list": file_targets.vendor_list,
    "country_database": file_targets.country_database,
    "key_files": file_targets.key_files,
    "web_links": file_targets.web_links,
    "authorization": gate_targets.authorization,
    "page_headers": page_targets.page_headers,
    "store_record": store_targets.store_record,
    "web_form": page_targets.web_form,
    "redis_reply": store_targets.redis_reply,
    "redis_url": store_targets.redis_url,
}


def seeds(name: str) -> list[bytes]:
    """Return the corpus of a target, in the order of the file names."""
    return [path.read_bytes() for path in sorted((CORPORA / name).iterdir())]
