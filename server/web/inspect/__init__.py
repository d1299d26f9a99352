"""The page ``/inspect``: a privacy engineer asks why a decision was made. Reads only."""
