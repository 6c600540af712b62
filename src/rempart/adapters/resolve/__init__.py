"""Answering for names: DNS messages as bytes, whoever asks, and unbound, which is asked."""
