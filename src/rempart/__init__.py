"""Rempart: a cyber-defence station for institutions that care for people."""
