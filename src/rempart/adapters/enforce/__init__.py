"""Bringing the kernel and the proxy to what is wanted."""
