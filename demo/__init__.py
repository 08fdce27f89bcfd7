"""Demo data and the demo user."""
