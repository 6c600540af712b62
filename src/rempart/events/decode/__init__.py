"""One pure decoder for each kind of log."""
