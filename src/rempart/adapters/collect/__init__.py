"""Reading logs as they grow."""
