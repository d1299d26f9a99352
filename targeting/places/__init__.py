"""Countries, subdivisions, languages and IP addresses."""
