"""Which sensitive data are where, and what losing them means."""
