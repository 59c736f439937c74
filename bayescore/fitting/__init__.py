"""One fit by one backend: its draws, what they predict, and its file."""
