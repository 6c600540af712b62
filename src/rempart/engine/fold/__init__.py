"""The fold that makes the state from facts, one module for each thing that facts are about."""
