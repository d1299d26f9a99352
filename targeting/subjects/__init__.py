"""Whose records a request concerns: the subjects it names, and what names one."""
