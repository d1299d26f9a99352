"""The same decision, explained: every check, what it compared and what it said."""
