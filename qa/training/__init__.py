"""How the shipped reader is made; runs apart and is never imported by the question path."""
