"""Plugins: found, asked what they can do, and loaded one at a time."""
