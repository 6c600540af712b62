"""What `scripts/bench contain` measures in network namespaces, one module a question."""
