"""Pictures, a module each; matplotlib is imported when one is drawn, and nothing of its global state is touched."""
