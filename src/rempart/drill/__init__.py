"""Drills: a real attack's weeks, played through the real engine in minutes, with a clock of their own."""
