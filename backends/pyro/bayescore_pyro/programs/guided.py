"""SVI of programs with a guide of one's own, which is run as it is written."""

import copy
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyro
import pyro.distributions as dist
import torch
from pyro import infer, poutine
from pyro.infer.autoguide import AutoGuide
from torch import Tensor, nn

from bayescore.backend import Progress
from bayescore.errors import FitError, UnsupportedError
from bayescore.methods import SVI
from bayescore.model.posterior import Posterior
from bayescore.program import ProgramFit, check_usual, looks
from bayescore_pyro.programs import density, running
from bayescore_pyro.programs.iterates import Iterates, run
from bayescore_pyro.programs.replay import Replayed, by_site
from bayescore_pyro.programs.sited import Sited
from bayescore_pyro.svi import descend

UNUSED = "its guide is not used: NUTS needs none"
_NOTE = "its own guide is fitted, one particle after another"


@dataclass(frozen=True)
class Ran:
    """A fitted guide with the state of its parameters, and how often it is run for draws."""

    sited: Sited
    guide: running.Function
    draws: int
    state: Any


def fit(sited: Sited, own: running.Function, method: SVI, progress: Progress) -> ProgramFit:
    """Fit the guide, called as the program is; its estimate is the mean of its parameters over the last half.

    The mean is that of parameters without constraints, or (``average=False``) the last are taken.
    The caller has seeded the generators.

    Raises
    ------
    UnsupportedError
        A setting is for regressions alone, or the guide has other sites than the program, or is a point.
    FitError
        The ELBO is not finite.
    """
    check_usual(method, "standardize", "centred", "batch_size", "init")
    began = time.perf_counter()
    latent, arguments = sited.latent, sited.arguments()
    guide = _made(sited, own)
    _check_sites(sited, run(guide, arguments))
    iterates = Iterates(sited, guide)
    seconds = {"compile": time.perf_counter() - began}
    if latent.nesting is None:
        elbo: Any = infer.Trace_ELBO(method.particles)
    else:
        elbo = infer.TraceEnum_ELBO(method.particles, max_plate_nesting=latent.nesting)
    store = pyro.get_param_store()
    sums: dict[str, Tensor] = {}
    begins, looked_at = method.steps // 2, looks(method.steps)

    def keep(step: int) -> None:
        if step >= begins:
            for name, value in store.named_parameters():
                sums[name] = sums.get(name, 0.0) + value.detach().clone()
        if step in looked_at:
            iterates.look()

    losses = descend(sited.called, guide, elbo, method, progress, named=arguments, after_step=keep)
    if not np.isfinite(losses[begins:]).all():
        raise FitError("the guide's ELBO is not finite: has it values outside the supports of the program's sites?")
    if method.average:
        with torch.no_grad():
            for name, value in store.named_parameters():
                value.copy_(sums[name] / (method.steps - begins))
    notes = tuple(f"{name} has no draws: it depends on a site that is summed out" for name in latent.untold)
    state = copy.deepcopy(store.get_state())
    return ProgramFit(method, Ran(sited, guide, method.draws, state), losses, iterates.found, seconds, (_NOTE, *notes))


def _made(sited: Sited, own: Any) -> running.Function:
    """The guide to fit: a class is made from the program; a module is a copy, so that a fit begins where it stands."""
    if isinstance(own, type):
        made: running.Function = own(poutine.block(sited.called, hide=list(sited.latent.summed)))
        return made
    if isinstance(own, nn.Module):
        automatic = {name: m for name, m in own.named_modules() if isinstance(m, AutoGuide)}
        kept = {name: (m._model, m.master) for name, m in automatic.items()}  # a copy takes them even from the original
        copied = copy.deepcopy(own).to(getattr(torch, sited.precision))
        for name, (model, master) in kept.items():
            automatic[name]._model, automatic[name].master = model, master
            copied.get_submodule(name)._model = model
        return copied
    guide: running.Function = own
    return guide


def _own_sites(trace: Any) -> dict[str, running.Node]:
    """What a guide samples of the program, without its auxiliary sites."""
    return {
        name: node
        for name, node in running.sites_of(trace).items()
        if not node["is_observed"] and not node["infer"].get("is_auxiliary")
    }


def _check_sites(sited: Sited, trace: Any) -> None:
    found, drawn = _own_sites(trace), sited.latent.drawn
    for name, node in drawn.items():
        if name not in found:
            raise UnsupportedError(f"the guide does not sample the program's site {name!r}")
        shape, wanted = tuple(found[name]["value"].shape), tuple(node["value"].shape)
        if shape != wanted:
            raise UnsupportedError(f"the guide's site {name!r} has the shape {shape}, the program's {wanted}")
    more = [name for name in found if name not in drawn]
    if more:
        what = "is summed out" if more[0] in sited.latent.summed else "is no latent site of the program"
        raise UnsupportedError(f"the guide samples {more[0]!r}, which {what}")
    if all(_is_point(node) for node in running.sites_of(trace).values() if not node["is_observed"]):
        raise UnsupportedError("the guide is a point, which has no draws to compare")


def _is_point(node: running.Node) -> bool:
    law = node["fn"]
    while isinstance(law, running.WRAPPERS):
        law = law.base_dist
    return isinstance(law, dist.Delta)


def _has_density(guide: running.Function, trace: Any) -> bool:
    """Whether the sum of all terms is the density of the program's sites.

    It is not where auxiliary sites are not integrated out, or where a value is a point; an automatic guide's
    auxiliary sites determine the others, which have the Jacobian.
    """
    if isinstance(guide, AutoGuide):
        return True
    nodes = [node for node in running.sites_of(trace).values() if not node["is_observed"]]
    return not any(node["infer"].get("is_auxiliary") or _is_point(node) for node in nodes)


def posterior(ran: Ran) -> Posterior:
    """Runs of the guide, replayed through the program; ``log_q`` where the guide has a density.

    Raises
    ------
    FitError
        A draw is outside the supports of the program.
    """
    sited, arguments = ran.sited, ran.sited.arguments()
    pyro.get_param_store().set_state(copy.deepcopy(ran.state))
    with torch.no_grad():
        traces = [run(ran.guide, arguments) for _ in range(ran.draws)]
        names = list(sited.latent.drawn)
        flat = torch.stack([torch.cat([trace.nodes[n]["value"].reshape(-1) for n in names]) for trace in traces])
        values, log_joint = by_site(_replay(sited), flat.to(torch.get_default_dtype()))
        stats = {"log_joint": log_joint}
        if _has_density(ran.guide, traces[0]):
            stats["log_q"] = np.array([_log_q(trace) for trace in traces])
    if np.isneginf(log_joint).any():
        raise FitError("the guide has draws where the program's density is zero: its support is wider")
    return Posterior(
        {name: value[None] for name, value in values.items()},
        sample_stats={name: value[None] for name, value in stats.items()},
        kind="guide",
    )


def _log_q(trace: Any) -> float:
    nodes = [node for node in running.sites_of(trace).values() if not node["is_observed"]]
    return sum(float(density.log_prob(node["fn"], node["value"]).sum()) for node in nodes)


def _replay(sited: Sited) -> Callable[[Tensor], Replayed]:
    """From the values of all drawn sites, one after another, to those of all told ones, and the log density."""
    latent, arguments = sited.latent, sited.arguments()
    shapes = {name: tuple(node["value"].shape) for name, node in latent.drawn.items()}
    summed = {name: node["value"] for name, node in latent.summed.items()}
    names = (*shapes, *latent.told)

    def summing(at: Mapping[str, Tensor]) -> Any:
        return running.run(sited.called, arguments, running.At(at), latent.nesting)

    def replay(flat: Tensor) -> Replayed:
        parts = torch.split(flat, [math.prod(shape) for shape in shapes.values()])
        at = {name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        trace = running.run(sited.called, arguments, running.At(at | summed))
        whole = (
            trace if latent.nesting is None else running.run(sited.called, arguments, running.At(at), latent.nesting)
        )
        terms = density.terms(whole, latent.nesting)
        values = {name: trace.nodes[name]["value"] for name in names}
        return values, torch.stack([term.total for term in terms.values()]).sum()

    return replay
