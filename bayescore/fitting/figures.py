"""Tables of figures, as pandas has them, shown whole."""

import pandas as pd

_MOST_ROWS = 60


class Figures(pd.DataFrame):
    """A frame that shows all its columns, each figure with four digits; what is made of it is a frame of pandas."""

    def __repr__(self) -> str:
        return self.to_string(float_format=_four_digits, max_rows=_MOST_ROWS)

    def _repr_html_(self) -> str:
        """For a notebook."""
        return str(self.to_html(float_format=_four_digits, max_rows=_MOST_ROWS))


def _four_digits(value: float) -> str:
    return f"{value:.4g}"
