"""The figures of a run, as tables for people and as one HTML page."""
