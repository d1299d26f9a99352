"""The gates: where calls come in and answers go out."""
