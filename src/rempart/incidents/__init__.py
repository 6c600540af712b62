"""Findings that belong to one attack."""
