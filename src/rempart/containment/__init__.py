"""What is done against an attack, and what may never be done."""
