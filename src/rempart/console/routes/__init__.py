"""What answers each address of the console: one module a page, each with ``routes(console)``."""
