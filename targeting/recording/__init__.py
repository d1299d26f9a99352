"""What a profile and a preference record become when something is recorded."""
