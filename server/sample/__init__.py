"""A sample population: people who do not exist, with habits, choices and requests like those of people who do."""
