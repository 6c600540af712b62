"""Behaviour without signatures: what a machine or person does, against what is usual."""
