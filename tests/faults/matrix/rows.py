"""The rows of the fault matrix: what happens to the service, and what must hold then.

Tests name the row that they show with ``@pytest.mark.fault(row=…)`` (tests/faults/matrix/marks.py).
"""

from typing import Final, NamedTuple


class Row(NamedTuple):
    """One kind of fault."""

    number: int
    fault: str
    must_hold: str


ROWS: Final = tuple(
    Row(number, fault, must_hold)
    for number, (fault, must_hold) in enumerate(
        (
            ("the store hangs", "LIMITED inside the budget, the circuit opens; used again soon after"),
            ("the store is killed and restarted with its data", "no acknowledged choice is lost; doubt limits"),
            ("the store is emptied, replaced or restored", "nobody is behavioural and nothing is recorded"),
            ("the primary dies behind a cut link", "no confirmed choice is lost"),
            ("the primary is demoted, fails over or reshards", "no answer from the old primary, no choice lost"),
            ("the store's memory is full, or evicts", "the writing services are NOT_SERVING, with the cause"),
            ("choices race writes", "nothing is written after an acknowledged opt-out"),
            ("half of all calls are cancelled", "every other call gets its own answer; no reconnects"),
            ("very short deadlines", "they end in time and cost no other caller anything"),
            ("ten times the load", "what does not fit is refused at once; the rest is served"),
            ("SIGTERM under load", "no failed call with one retry; exit within the grace period"),
            ("a thread, a worker process or the embedded store ends", "replaced, or the process ends with a reason"),
            ("floods, bombs and malformed frames", "neighbours are answered; no error repeats what was sent"),
            ("hostile cookies and addresses", "never raises; any doubt limits"),
            ("hostile consent strings", "restrictive, in bounded time; never read past the end"),
            ("hostile identifiers", "no injection; NFC and NFD are one; placeholders are no identity"),
            ("unreadable stored records", "LIMITED with RECORD_UNREADABLE; others in the batch unaffected"),
            ("the clock jumps", "no opt-out ends early"),
            ("the country database is missing, corrupt or replaced", "a clear refusal; read into memory; reloaded"),
            ("everything that is written is searched for identifiers", "none is found"),
            ("credentials and certificates are wrong, expired or rotated", "denied or LIMITED; taken up in service"),
            ("the secret key is missing or another instance's", "the service does not start"),
            ("one client sends the heaviest legal calls", "others are answered"),
            ("the store takes no writes", "the writing services are NOT_SERVING, with the cause"),
            ("a flood of invented browser ids", "few new ones a second are stored, with an expiry"),
            ("half load for ten minutes", "the circuit stays closed; hardly any STORE_TIMEOUT"),
            ("files that hang, are empty or huge", "SIGTERM still works; reading them stalls no call"),
        ),
        start=1,
    )
)
