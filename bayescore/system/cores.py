"""How many cores this process may use."""

import os


def usable() -> int:
    """Cores that this process may use at this moment, at least 1: what runs side by side asks again as it goes on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
