"""Times within this process: what a decision, a signal and a record cost without a gate."""
