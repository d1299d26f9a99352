"""Decision records on disk: a sample of all decisions, without anything that names a person."""
