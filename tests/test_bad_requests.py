"""A wrong request gets one line that says what, where and what to do, exit code 2, and writes nothing."""

import pytest

from bayescore.cli import main

pytestmark = pytest.mark.usefixtures("only_core")
HEADER = "y,x,z,c,yes\n"
ROWS = ["1.0,0.5,2,a,0", "2.5,1.5,1,b,1", "4.0,2.5,4,a,0", "3.0,3.5,3,b,1", "5.5,4.5,6,a,1"]
TABLE = HEADER + "\n".join(ROWS)


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """Run a comparison that has to be refused, and return the line it gets."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, table=TABLE):
        (tmp_path / "table.csv").write_text(table)
        before = sorted(tmp_path.rglob("*"))
        argv = ["compare", *arguments]
        argv += [] if "--backends" in arguments else ["--backends", "exact"]
        argv += [] if "--out" in arguments else ["--out", "kept"]
        argv += [] if "--json" in arguments else ["--json", "result.json"]
        try:
            code = main(argv)
        except SystemExit as stop:
            code = stop.code
        out, err = capsys.readouterr()
        assert code == 2, (code, out, err)
        assert out == ""
        assert err.startswith("bayescore: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        assert sorted(tmp_path.rglob("*")) == before
        return err

    return run


FILE = ("--data", "table.csv", "--formula", "y ~ x")
GROUPS = ("--data", "table.csv", "--formula", "y ~ x + (1 | c)")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--backends", "exakt"), "unknown backend 'exakt'; did you mean 'exact'? (installed: exact)"),
        (("--backends", "pyro", "exact"), "'pyro' is not installed: pip install bayescore-pyro"),
        (("--backends", ""), "unknown backend ''"),
        (("--backends", "exact", "exact"), "listed twice"),
        (("--backends", "exact:nutz"), "unknown method 'nutz'; did you mean 'nuts'"),
        (("--backends", "exact:exact(draws=0)"), "draws must be a whole number of at least 1"),
        (("--backends", "exact:exact(drawz=5)"), "no setting 'drawz'; did you mean 'draws'"),
        (("--method", "magic"), "unknown method 'magic'"),
        (("--method", "nuts(chains=many)"), "chains must be a whole number"),
        (("--reference", "exakt"), "unknown backend 'exakt'"),
        (("--margin", "0"), "margin must be a positive number"),
        (("--margin", "nan"), "margin must be a positive number"),
        (("--margin", "small"), "argument --margin: invalid float value: 'small'"),
        (("--alpha", "2"), "alpha must be between 0 and 1"),
        (("--seed", "-1"), "seed must be a"),
        (("--seed", "1.5"), "argument --seed: invalid int value: '1.5'"),
        (("--jobs", "0"), "jobs must be at least 1"),
        (("--cores", "0"), "cores must be at least 1"),
        (("--timeout", "0"), "timeout must be a positive number"),
        (("--timeout", "inf"), "timeout must be a positive number"),
        (("--precision", "float16"), "precision must be float64 or float32"),
        (("--no-such-option",), "unrecognized arguments: --no-such-option"),
        (("--margn", "1"), "unrecognized arguments"),
        (("nowhere.toml",), "no problem file 'nowhere.toml'"),
        (("table.csv",), "'table.csv' is no problem file"),
        (("--data", "toy(n=0)"), "n must be a whole number of at least 1"),
        (("--data", "toy(m=5)"), "no setting 'm'"),
        (("--data", "toy(n=5"), "can't read 'toy(n=5'"),
        (("--data", "toy(noise_sd=None)"), "noise_sd must be a number"),
        (("--data", "nowhere.csv", "--formula", "y ~ x"), "no file 'nowhere.csv'"),
        (("--data", ".", "--formula", "y ~ x"), "no file '.'"),
        (("--data", "table.csv"), "a formula is needed for 'table.csv'"),
        ((*FILE, "--new-data", "nowhere.csv"), "no file 'nowhere.csv'"),
        (("--data", "table.csv", "--formula", "y ~ w"), "no column 'w' in the table"),
        (("--data", "table.csv", "--formula", "y ~ x +"), "can't read the formula 'y ~ x +'"),
        (("--data", "table.csv", "--formula", "y ~ pd.read_csv('table.csv')"), "unknown function 'pd.read_csv'"),
        (("--data", "table.csv", "--formula", "y ~ log(x - 0.5)"), "'log(x - 0.5)' is NaN or infinite in row 1"),
        (("--data", "table.csv", "--formula", "c ~ x"), "the response 'c' is text"),
        ((*FILE, "--family", "bernoulli"), "'y' must be 0 or 1 for Bernoulli; row 2"),
        ((*FILE, "--family", "gausian"), "unknown family 'gausian'; did you mean 'Gaussian'"),
        ((*FILE, "--family", "Gaussian(sigma=-1)"), "sigma must be a positive number, not -1"),
        ((*FILE, "--prior", "beta ~ Normal(0, 0)"), "Normal: scale must be positive"),
        ((*FILE, "--prior", "beta ~ Normal(0,"), "can't read 'Normal(0,'"),
        ((*FILE, "--prior", "beta ~ Normal(Normal(0, 1), 1)"), "loc must be a number"),
        ((*FILE, "--prior", "beta = Normal(0, 1)"), "can't read the prior"),
        ((*FILE, "--prior", "beta ~ Nomral(0, 1)"), "did you mean 'Normal'"),
        ((*FILE, "--prior", "gamma ~ Normal(0, 1)"), "'gamma', which is no parameter"),
        ((*FILE, "--prior", "sigma ~ Normal(0, 1)"), "use HalfNormal or Exponential"),
        ((*FILE, "--prior", "beta ~ Flat()", "--prior", "beta ~ Flat()"), "given twice"),
        ((*FILE, "--prior", "beta ~ LKJ(1)"), "is for correlation values"),
        ((*FILE, "--prior", "beta ~ Uniform(1, 0)"), "Uniform: low must be under high"),
        ((*FILE, "--prior", "beta[x] ~ Horseshoe(scale=0)"), "scale must be positive"),
        ((*FILE, "--prior", "intercept ~ Horseshoe()"), "Horseshoe() is a prior of all coefficients together"),
        ((*FILE, "--prior", "sd(1|c) ~ HalfNormal(1)"), "'sd(1|c)', which is no parameter"),
        ((*GROUPS, "--prior", "sd(1|d) ~ HalfNormal(1)"), "did you mean 'sd(1|c)'"),
        ((*GROUPS, "--prior", "sd ~ Normal(0, 1)"), "sd(1|c) is positive"),
        ((*GROUPS, "--family", "categorical"), "the response 'y'"),
        ((*FILE, "--family", "poisson"), "a whole number of at least 0 for Poisson; row 2 is 2.5"),
        ((*FILE, "--family", "gamma(concentration=-1)"), "concentration must be a positive number"),
        ((*FILE, "--family", "beta"), "between 0 and 1, ends excluded, for Beta; row 1 is 1"),
        ((*FILE, "--family", "binomial"), "Binomial needs the trials of 'y'"),
        ((*FILE, "--family", "Bernoulli(link=probitt)"), "did you mean 'probit'"),
        ((*FILE, "--weights", "w"), "no column 'w'"),
        ((*FILE, "--weights", "c"), "'c'"),
        (("--weights", "w"), "the toy has no column of weights"),
        (("--network", "0"), "whole numbers of at least 1, not [0]"),
        (("--network", "4", "-2"), "whole numbers of at least 1"),
        (("--network", "four"), "argument --network: invalid int value: 'four'"),
        (("--network", "4", "--prior", "beta ~ Normal(0, 1)"), "'beta', which is no parameter"),
        (("--json", "nowhere/result.json"), "can't write 'nowhere/result.json'"),
        (("--json", "."), "can't write '.'"),
        (("--out", "table.csv"), "'table.csv' is a file"),
        (("--out", "table.csv/kept"), "can't write to 'table.csv/kept'"),
    ],
    ids=lambda value: " ".join(value)[-60:] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_wrong_request_is_refused_in_one_line(refused, arguments, message):
    assert message in refused(*arguments)


@pytest.mark.parametrize("flag", ["--force", "--resume"])
def test_force_and_resume_need_a_folder(flag, capsys):
    assert main(["compare", "--backends", "exact", flag]) == 2
    assert capsys.readouterr().err == "bayescore: --force and --resume go with --out DIR\n"


@pytest.mark.parametrize(
    "table, message",
    [
        ("", "the file 'table.csv' is empty"),
        (HEADER, "the file 'table.csv' has no rows"),
        (TABLE.replace("1.5,1,b", ",1,b"), "column 'x' is missing or infinite in row 2"),
        (TABLE.replace("4.0,2.5", "nan,2.5"), "column 'y' is missing or infinite in row 3"),
        (TABLE.replace("3.0,3.5", "3.0,-inf"), "column 'x' is missing or infinite in row 4"),
        (TABLE.replace("1.0,0.5", "1.0,half"), "column 'x' is numeric but for text in row 1 ('half')"),
        (TABLE.replace("1.0,0.5", "none yet,0.5"), "column 'y' is numeric but for text in row 1 ('none yet')"),
        (HEADER + "2,1,1,a,0\n2,2,1,a,0\n2,3,1,a,0\n", "the response 'y' is constant (2)"),
        ("y,x, x\n1,2,3\n2,3,5\n4,1,2\n", "'x'"),
        (TABLE + "\n1,2,3,4,5,6,7,8\n", "can't read the table 'table.csv'"),
    ],
)
def test_wrong_data_are_refused_in_one_line(refused, table, message):
    assert message in refused(*FILE, table=table)


def test_more_columns_than_rows_with_flat_priors_are_improper(refused):
    table = "y,a,b,c\n1,2,3,4\n2,3,5,9\n4,1,2,2\n"
    flat = ("--prior", "beta ~ Flat()", "--prior", "intercept ~ Flat()")
    line = refused("--data", "table.csv", "--formula", "y ~ a + b + c", *flat, table=table)
    assert "the posterior is improper: 4 coefficients with Flat() priors and only 3 rows" in line


def test_new_rows_without_a_column_are_refused(refused, tmp_path):
    (tmp_path / "new.csv").write_text("z\n1\n")
    assert "the new rows have no column 'x'" in refused(*FILE, "--new-data", "new.csv")


@pytest.mark.parametrize(
    "text, message",
    [
        ("backend = ['exact']", "unknown key 'backend'; did you mean 'backends'"),
        ("seed = 'one'", "seed must be a whole number"),
        ("margin = [", "is no problem file"),
        ("margin = nan", "margin must be a positive number"),
        ("data = 'nowhere.csv'\nformula = 'y ~ x'", "no file"),
        ("prior = ['beta ~ Normal(0, -1)']", "scale must be positive"),
    ],
)
def test_a_wrong_problem_file_is_refused_in_one_line(refused, tmp_path, text, message):
    (tmp_path / "problem.toml").write_text(text)
    assert message in refused("problem.toml")


@pytest.mark.parametrize(
    "argv, message",
    [
        ([], "the following arguments are required: COMMAND"),
        (["compre"], "invalid choice: 'compre'"),
        (["show"], "the following arguments are required: DIR"),
        (["show", "nowhere"], "no comparison in 'nowhere'"),
        (["explain", "unconvergd"], "unknown reason code 'unconvergd'; did you mean 'unconverged'?"),
        (["backends", "--everything"], "unrecognized arguments"),
    ],
)
def test_other_commands_refuse_in_one_line_too(argv, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(argv)
    except SystemExit as stop:
        code = stop.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("bayescore: ")
    assert err.count("\n") == 1
    assert message in err
