"""Runs contenders on one problem, each in a process of its own, and collects what they found."""
