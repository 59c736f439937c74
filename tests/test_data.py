"""Data made by hand are looked at before anything is fitted to them."""

from dataclasses import replace

import numpy as np
import pytest

from bayescore.errors import DataError
from bayescore.model.data import Data, Membership
from bayescore.tables.problem import from_data

SOUND = Data(
    np.arange(8.0).reshape(4, 2),
    np.array([1.0, 0.0, 2.0, 1.0]),
    ("a", "b"),
    offset=np.zeros(4),
    weights=np.ones(4),
    trials=np.full(4, 3.0),
    groups={"1|g": Membership(np.array([0, 1, 0, 1]), np.ones(4))},
)


def test_a_response_by_the_name_of_another_part_is_looked_at_all_the_same():
    wrong = replace(SOUND, response="weights", y=np.array([0.0, np.nan, 1.0, 0.0]))
    with pytest.raises(DataError, match="'weights' is NaN or infinite in row 2"):
        wrong.check()


def test_sound_data_pass():
    SOUND.check()


@pytest.mark.parametrize(
    "part, message",
    [
        ({"x": np.full((4, 2), np.nan)}, "column 'a' is NaN or infinite in rows 1, 2, 3, 4"),
        ({"x": np.zeros((4, 3))}, r"the design matrix has shape \(4, 3\), and 2 columns are named"),
        ({"y": np.array([0.0, 1.0, np.inf, 0.0])}, "column 'y' is NaN or infinite in row 3"),
        ({"y": np.zeros(5)}, r"'y' has shape \(5,\), and there are 4 rows"),
        ({"offset": np.array([0.0, np.nan, 0.0, 0.0])}, "'offset' is NaN or infinite in row 2"),
        ({"weights": np.array([1.0, -1.0, 1.0, 1.0])}, "the weights are negative in row 2"),
        ({"weights": np.zeros(4)}, "all weights are 0"),
        ({"trials": np.full(4, np.nan)}, "'trials' is NaN or infinite"),
        (
            {"groups": {"1|g": Membership(np.zeros(4, int), np.full(4, np.nan))}},
            "'1|g' is NaN or infinite".replace("|", r"\|"),
        ),
        ({"ones": np.ones(3)}, r"'ones' has shape \(3,\)"),
    ],
)
def test_what_is_wrong_is_named(part, message):
    wrong = replace(SOUND, **part)
    with pytest.raises(DataError, match=message):
        wrong.check()
    with pytest.raises(DataError, match=message):
        from_data(replace(wrong, groups={}) if "groups" not in part else wrong)
