"""Reports, made from the comparison's document alone."""
