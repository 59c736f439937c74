"""A path that the system can't even look at is no file, in one line."""

import pytest

from bayescore.cli import main

LONG = "x" * 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "--backends", "exact", "--data", f"{LONG}.csv", "--formula", "y ~ x"],
        ["compare", "--backends", "exact", "--new-data", f"{LONG}.parquet"],
        ["compare", f"{LONG}.toml"],
        ["compare", "--backends", "exact", "--out", LONG],
        ["compare", "--backends", "exact", "--json", LONG],
        ["show", LONG],
        ["reference", LONG],
        ["study", "--out", LONG],
    ],
)
def test_a_name_that_is_too_long_is_refused(arguments, capsys):
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("bayescore: ")
    assert err.count("\n") == 1
