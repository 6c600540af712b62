"""A small hospital, attacked for real, inside network namespaces."""
