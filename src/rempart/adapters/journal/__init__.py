"""The evidence journal on disk (docs/design/journal.md)."""

from rempart.adapters.journal.exported import export, verify_exported
from rempart.adapters.journal.file import verify_file
from rempart.adapters.journal.writer import Journal, Recorded, Sealed

__all__ = ["Journal", "Recorded", "Sealed", "export", "verify_exported", "verify_file"]
