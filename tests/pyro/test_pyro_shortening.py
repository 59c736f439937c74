"""A traced program is made shorter, and its results stay what they are, to the last bit."""

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

# isort: split
from bayescore_pyro.shortening import shortened

X = torch.tensor([[1.5, -2.0], [0.25, 3.0]], dtype=torch.float64)


def length(module):
    return sum(node.op == "call_function" for node in module.graph.nodes)


def both(function, x=X):
    """What is left of a function's operations; its results are the same at other arguments, call after call."""
    traced = make_fx(function)(x).eval()
    short = shortened(make_fx(function)(x).eval(), x)
    for at in (x, -x, x + 1, x):
        torch.testing.assert_close(short(at), traced(at), rtol=0, atol=0, equal_nan=True)
    return length(short)


def in_place(x):
    held = torch.zeros_like(x)
    held.add_(x)
    once = held.clone()
    held[0].mul_(2.0)
    return once + held


def gathered(x):
    z = x.detach().requires_grad_()
    return torch.autograd.grad((z[:, torch.tensor([1, 1, 0])] ** 2).sum(), z)[0]


@pytest.mark.parametrize(
    ("function", "left"),
    [
        (lambda x: x + 0.0, 0),
        (lambda x: 0.0 + x * torch.ones_like(x) / 1.0, 0),
        (lambda x: (x - torch.zeros(2, 2, dtype=x.dtype)) ** 1, 0),
        (lambda x: x.exp() + x.detach().exp(), 2),
        (lambda x: x.view(2, 2).expand(2, 2)[0:2], 0),
        (lambda x: torch.full((3,), 2.0).log().sum() * x, 1),
        (lambda x: torch.ones_like(x) + torch.ones_like(x), 0),
        # what only looks like it
        (lambda x: x + torch.zeros(3, 2, 2, dtype=x.dtype), 1),
        (lambda x: x.float() + torch.zeros(2, 2, dtype=torch.float64), 2),
        (lambda x: torch.ones_like(x) / x, 1),
        (lambda x: torch.zeros_like(x) - x, 1),
        (lambda x: torch.add(torch.zeros_like(x), x, alpha=3.0), 1),
        (lambda x: x.t(), 1),
        (lambda x: 0.0 * x.log(), 2),
        (lambda x: x[:1] + x[1:], 3),
        (lambda x: x.sum() + x.sum(0) + x.sum(1), 5),
        (lambda x: torch.linalg.qr(x)[1] - torch.linalg.qr(x)[0], 4),
        (in_place, None),
        (gathered, None),
    ],
)
def test_what_is_left(function, left):
    found = both(function)
    assert left is None or found == left


def test_what_is_random_is_drawn_each_time():
    short = shortened(make_fx(lambda x: torch.rand_like(x) - torch.rand_like(x) + torch.rand(2))(X), X)
    drawn = [short(X) for _ in range(2)]
    assert length(short) == 5
    assert all((one != 0).all() for one in drawn)
    assert (drawn[0] != drawn[1]).all()


def test_a_density_gets_shorter():
    """A Gaussian regression's with its gradient, by torch.distributions: a third of the operations was for nothing."""
    rows = torch.linspace(-1.0, 1.0, 20, dtype=torch.float64)

    def value_and_gradient(z):
        z = z.detach().requires_grad_()
        a, b, log_sd = z
        normal = torch.distributions.Normal
        prior = normal(0.0, 2.0, validate_args=False).log_prob(z).sum()
        value = prior + normal(a + b * rows, log_sd.exp(), validate_args=False).log_prob(rows).sum()
        return value.detach(), torch.autograd.grad(value, z)[0]

    z = X.flatten()[:3]
    before = length(make_fx(value_and_gradient)(z))
    assert both(value_and_gradient, z) < 0.8 * before
