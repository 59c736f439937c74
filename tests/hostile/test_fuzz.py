"""A short version of `fuzzing`, and inputs that it found once."""

import pytest
from fuzzing import KINDS, Tally, look, run

pytestmark = [pytest.mark.usefixtures("only_core"), pytest.mark.filterwarnings("ignore:Generating overly large repr")]


@pytest.mark.parametrize("kind", KINDS)
def test_random_inputs_are_taken_or_refused(kind):
    tally = run(kind, 60, seed=1)
    assert tally.taken + tally.refused >= 60
    assert len(tally.reasons) > 3


FOUND = {
    "formulas": [
        "y ~ (a0 + a1)**99999999", "y ~ (x + z) ** 99999999", "y ~ poly(x, 1000000)", "y ~ bs(x, df=100000)",
        f"y ~ ({' + '.join(f'`odd name`:x:c{i}' for i in range(12))}) ** 12",
        f"y ~ {' * '.join(['x', 'z', 'c', 'g', 'yes', 'Sum', '`odd name`', '`[red]`', 'x', 'log(z)'])}",
        f"y ~ {' + '.join(['x'] * 3000)}", f"y ~ {'(' * 20_000}x{')' * 20_000}", f"y ~ {'-' * 20_000}x",
        "y ~ x" + " - x" * 3000,
    ],
    "problem files": [b"a." * 50_000 + b"a = 1", b"a = " + b"[" * 20_000],
    "priors": [], "contenders": [], "CSV files": [],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_found_stays_mended(kind, tmp_path):
    for given_input in FOUND[kind]:
        look(kind, given_input, Tally(), tmp_path)
