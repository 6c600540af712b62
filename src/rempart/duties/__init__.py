"""Who must be told, by when."""
