"""HTTP servers for pages, metrics and health, each on a loop and threads of its own."""
