"""Opening the doors again, one by one."""
