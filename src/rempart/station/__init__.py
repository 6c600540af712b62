"""The running processes, wired by hand."""
