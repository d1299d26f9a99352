"""Open loop: calls that arrive on their own clock, whatever the service does with those before them."""
