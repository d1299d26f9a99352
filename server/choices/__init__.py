"""The storing of choices: of explicit ones, of signals that last, and of those that a failover may have lost."""
