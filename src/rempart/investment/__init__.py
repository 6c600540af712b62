"""What doing better costs and how it is paid."""
