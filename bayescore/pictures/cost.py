"""Seconds by phase and memory of every contender."""

from bayescore.pictures.library import GREY, INK, bare, name_rows, new_figure
from bayescore.pictures.material import Material, NothingToDrawError, Picture
from bayescore.report.words import names

_PHASES = {
    "import": ("#9db4c0", "import"),
    "build_data": ("#c9b79c", "data"),
    "fit": ("#0072B2", "fit"),
    "sample_posterior": ("#56B4E9", "draws"),
    "predict": ("#009E73", "predictions"),
}


def draw(material: Material) -> Picture:
    """Draw a bar a contender."""
    rows = material.document["contenders"]
    ran = [row for row in rows if any(row["seconds"].get(phase) for phase in _PHASES)]
    if not ran:
        raise NothingToDrawError("no contender ran")
    figure = new_figure(8.0, 1.1 + 0.42 * len(ran))
    seconds, memory = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    before = [0.0] * len(ran)
    for phase, (colour, words) in _PHASES.items():
        took = [row["seconds"].get(phase) or 0.0 for row in ran]
        if any(took):
            seconds.barh(range(len(ran)), took, left=before, color=colour, label=words, height=0.62)
        before = [b + t for b, t in zip(before, took, strict=True)]
    for k, total in enumerate(before):
        seconds.annotate(
            f" {total:.3g} s" if total >= 0.01 else " under 0.01 s", (total, k), va="center", fontsize=8, color=INK
        )
    seconds.set_xlim(0.0, 1.15 * max(before))
    seconds.set_xlabel("seconds", fontsize=8, color=INK)
    figure.legend(loc="outside upper left", ncols=len(_PHASES), fontsize=8, frameon=False)
    mebibytes = [(row["peak_memory_bytes"] or 0) / 2**20 for row in ran]
    memory.barh(range(len(ran)), mebibytes, color=GREY, height=0.62)
    for k, size in enumerate(mebibytes):
        memory.annotate(f" {size:.0f}" if size else " unknown", (size, k), va="center", fontsize=8, color=INK)
    memory.set_xlim(0.0, 1.3 * max(*mebibytes, 1.0))
    memory.set_xlabel("peak memory [MiB]", fontsize=8, color=INK)
    for axes in (seconds, memory):
        bare(axes, keep="bottom")
        name_rows(axes, [row["name"] for row in ran])
    memory.tick_params(labelleft=False)
    lost = [row["name"] for row in rows if row not in ran]
    caption = "Wall time by phase, and the peak memory of each contender's process."
    return Picture(figure, caption + (f" {names(lost)} did not run." if lost else ""))
