"""What every edge stands on: files that are whole, conversations that end, and listening that is bounded."""
