"""Keeping events durably."""
