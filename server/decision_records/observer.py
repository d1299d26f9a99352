"""The sample of decisions that is recorded, taken on the decisions' thread and handed over at once."""

from server.decision_records.writer import RecordWriter
from server.decisions.sampling import EveryNth
from targeting.decision_records.facts import Recorded
from targeting.rejudging.batch import DecidedBatch


class RecordObserver:
    """Offers a sample of each batch to a writer. Dry runs and leak canaries are not recorded."""

    def __init__(self, writer: RecordWriter, sample: EveryNth) -> None:
        self._writer = writer
        self._sample = sample

    def observe(self, batch: DecidedBatch) -> None:
        """Offer what is sampled of a batch."""
        for decided, decision in batch.decided():
            if self._sample.takes() and not decided.item.request.is_dry_run:
                self._writer.offer(Recorded(decided, decision, batch.policy, batch.now_s))
