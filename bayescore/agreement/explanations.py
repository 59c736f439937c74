"""What each reason code means, how it is found, and what to do about it."""

from typing import NamedTuple


class Explanation(NamedTuple):
    """Three short paragraphs."""

    meaning: str
    found: str
    remedy: str


EXPLANATIONS = {
    "different-model": Explanation(
        "A backend fits another model than the one that was stated.",
        "Its log density differs from the NumPy specification by more than a constant at 20 points around the "
        "posterior. The term that differs is named, and what its difference looks like.",
        "Compare the backend's term with the model as printed: a scale read as a precision, a rate as a scale, a "
        "missing prior, a forgotten row. The draws are not judged.",
    ),
    "missing-site": Explanation(
        "A program has a site that the other has not, under that name at least.",
        "The names of sampled and observed sites are held side by side.",
        "If the other calls it otherwise, say so with --rename; if it computes it from other sites, name what it "
        "computes by a deterministic site. Else a prior or a part of the data was forgotten, or one too many put in.",
    ),
    "observed-on-one-side": Explanation(
        "A site is given data in one program, and sampled in the other.",
        "Both have a site of that name; one of them observes it.",
        "Hand the data to the site (obs=), in the program that samples it.",
    ),
    "different-shape": Explanation(
        "A site has other dimensions in one program than in the other.",
        "The shapes of its values are held side by side.",
        "Look at plates, to_event and the layout of weights (out by in, or in by out). A matrix that is meant to be "
        "the other's transposed: --transpose. Data of another length: a row was lost on the way.",
    ),
    "different-support": Explanation(
        "A site can have values in one program that the other gives no density.",
        "The supports of its distributions differ, or one density is 0 where the other's is not.",
        "Look at the distribution: half-Cauchy for Cauchy, a bound of a uniform, a truncation, an ordering.",
    ),
    "reparametrized": Explanation(
        "The programs sample other variables, of which one computes the other's: centred and not, for example.",
        "A site that one samples is a deterministic one of the other, which has as many others instead.",
        "Nothing, if the posterior of what both have agrees. To hold densities together write both in one "
        "parametrization.",
    ),
    "precision": Explanation(
        "float32 loses too many digits on these data. It is the same model.",
        "The log density passes in float64 and fails in float32.",
        "Use --precision float64, or centre and scale the columns.",
    ),
    "not-checked": Explanation(
        "A backend's model can't be compared: it gives no log density, or too few points say anything.",
        "It does not declare feature:log_density, or the specification is finite and high enough at fewer than ten.",
        "Implement log_density in the backend; the draws are judged all the same.",
    ),
    "different-posterior": Explanation(
        "Two contenders found posteriors that differ by more than the margin.",
        "The family-wise 99 % interval of some difference, in posterior sds for means, in log ratios for sds, "
        "or in normal scores for ranks, lies wholly outside the margin.",
        "Look at the rows that say disagree. Against exact, the other contender is wrong. Between two samplers, run "
        "both longer and look for a parametrization that one of them reads differently.",
    ),
    "other-shape": Explanation(
        "Two contenders found posteriors whose means and sds agree, and whose shapes do not.",
        "The 5, 25, 75 or 95 % quantile of standardized draws, or the share of draws up to it as a normal score, "
        "differs by more than 1.5 margins, in sds; or the "
        "log of the ratio of the log joint's sds does; or a correlation of two quantities, or of their "
        "sizes (distances from the median). Means, sds and directions agree.",
        "Look at the draws: skewness, two modes, bounds, parameters whose sizes go together. Against exact, the other "
        "contender is wrong; a sampler may have missed a mode, or its draws were transformed.",
    ),
    "heavy-tails": Explanation(
        "The tails are so heavy that means, sds or their Monte Carlo errors can't be relied on, or don't exist.",
        "A generalized Pareto distribution fitted to the tails of both contenders' draws has an index of 0.15 or more: "
        "from 0.125 on the error of an sd can't be estimated by draws, from 0.25 on there is none, from 0.5 on no sd, "
        "from 1 on no mean. The 5, 25, 50, 75 and 95 % quantiles are judged instead, by their ranks as normal scores, "
        "with the margin for the middle three, and 1.5 times that for the outer two.",
        "Nothing, if the verdict is agree; read quantiles in place of means and sds. Separated classes under a Cauchy "
        "or Student's t prior do this; a prior that falls off faster, as Normal, gives moments.",
    ),
    "unconverged": Explanation(
        "A fit did not converge, so its numbers can't be judged.",
        "For MCMC: R-hat, bulk and tail ESS, divergences, E-BFMI, tree depth. For SVI: R-hat and Monte Carlo error "
        "of the iterates over the last half of the steps.",
        "Give it more: nuts(warmup=..., draws=...), svi(steps=..., particles=...). A fit that diverged was made again "
        "with target_accept 0.95 and 0.99; what still diverges asks for another parametrization or tighter priors.",
    ),
    "too-few-draws": Explanation(
        "The Monte Carlo error is too large to tell agreement from disagreement.",
        "Some interval reaches beyond the margin on one side and into it on the other.",
        "Take as many more draws as the sentence says, or widen --margin if a coarser answer will do.",
    ),
    "at-margin": Explanation(
        "A difference is real but as large as the margin itself, so no number of draws will settle it.",
        "The difference exceeds nine tenths of the margin and its interval straddles it.",
        "Decide whether a difference of this size matters to you, and set --margin accordingly.",
    ),
    "guide-family": Explanation(
        "The guide's family can't reach the posterior's sds, shape or means. It is no fault of the backend.",
        "A mean-field guide's best sd is 1 / sqrt(precision_jj) in its coordinates; the row is judged against that, "
        "and marked expected against the posterior's sd. A Gaussian guide's shape is judged against a Gaussian's where "
        "the posterior has another. Where means or other sds differ, the guide is at the optimum of its ELBO by the "
        "specification's own gradient: no step of it is left in any direction; a Laplace approximation has the mode "
        "and the curvature that the specification has there.",
        "Use svi(guide=full_rank) where only correlation is missing, and nuts where the posterior is not Gaussian, as "
        "with the sd of a group.",
    ),
    "not-identified": Explanation(
        "The data do not tell the coefficients apart, so that two fits may differ in them and still predict alike.",
        "Means of coefficients differ by more than the margin while every prediction agrees within it: collinear "
        "columns, separated classes. For point estimates: the density has no maximum with a finite spread. Or chains "
        "lie three sds apart, and within one once the sign of a site is changed, or its elements are put in order.",
        "Judge by the predictions, drop one of the columns, or give the coefficients tighter priors. Of signs and "
        "labels judge what an exchange leaves, or fix them in the model.",
    ),
    "resampled": Explanation(
        "The draws are not the chain's own: some were drawn again with replacement.",
        "The same values come at positions that are not neighbours, which no rejected move explains.",
        "Return the sampler's draws unthinned and in order; in Pyro get_samples() without a number.",
    ),
    "not-comparable": Explanation(
        "A point estimate is not a posterior, and a likelihood's maximum is not a posterior's mode.",
        "The two contenders estimate different things.",
        "Compare mle with mle, map with map; the pair does not count.",
    ),
    "nothing-to-compare": Explanation(
        "A single contender was fitted, so there is no agreement to speak of.",
        "There was no second contender and no reference.",
        "Name another backend, or --reference with a contender.",
    ),
    "not-run": Explanation(
        "A contender could not be run to its end.",
        "It lacks what was asked for, its library is missing, it failed, or it ran out of time.",
        "Its row says why. The others' results stand.",
    ),
    "smoke": Explanation(
        "A smoke run makes two iterations and tells nothing about posteriors.",
        "--smoke was given.",
        "Run it again without --smoke.",
    ),
}
