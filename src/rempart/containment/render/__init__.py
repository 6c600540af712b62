"""Wanted states as text for the kernel and the proxy."""
