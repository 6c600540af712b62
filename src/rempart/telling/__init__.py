"""Who is told what, when and in which language, until somebody has taken it."""
