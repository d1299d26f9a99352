"""The shell around the decision core: what waits, reads the clock or the environment, or speaks a protocol."""
