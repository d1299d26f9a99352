"""JSON Schemas of the files that an operator writes, for editors."""
