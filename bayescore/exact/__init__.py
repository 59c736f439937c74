"""The exact backend: closed forms and quadrature, registered like everybody's."""
