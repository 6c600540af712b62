"""The institution: what is inside, what leads outside, and who answers the telephone."""
