"""One verb, one file: each has `register(verbs)` and a `run(arguments) -> int`."""
