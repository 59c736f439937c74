"""A plugin that can't be imported."""

raise RuntimeError("the licence server\ndoes not answer")
