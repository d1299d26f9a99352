"""From start to end: what is open, whether calls should be sent, and what has ended that must not."""
