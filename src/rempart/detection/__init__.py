"""Rules, and what they see in events."""
