"""What machines said, in one shape."""
