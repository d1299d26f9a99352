"""The shell around the decision core: everything that waits, reads the clock or the environment, or speaks a protocol."""
