"""A small hospital in network namespaces, a real attack on it, and Rempart in between."""
