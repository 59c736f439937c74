"""The specification in numbers: log densities, modes, and the coordinates that methods work in."""
