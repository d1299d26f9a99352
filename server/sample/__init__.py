"""A sample population: invented people with realistic habits, choices and requests."""
