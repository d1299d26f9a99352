"""The page ``/choice``: a person sees what is done with their data, and chooses."""
