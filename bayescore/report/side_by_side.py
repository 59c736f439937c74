"""Programs of one's own side by side, as a table."""

from collections.abc import Iterator
from math import inf

from bayescore.report.document import Document, SiteEntry
from bayescore.report.tables import Column, Line, Table
from bayescore.report.words import counted, names


def sites(document: Document, most: float = inf) -> tuple[Table, str]:
    """What each site is in each program, those that are not the same first."""
    named = {check["site"] for check in document["model_check"] if check["verdict"] in {"different", "precision"}}
    every = document["problem"].get("sites", [])
    other = [site for site in every if site["name"] in named or len(set(site["programs"].values())) > 1]
    ordered = [*other, *(site for site in every if site not in other)]
    lines: list[Line] = []
    count = 0
    for site in ordered:
        more = list(_site(site, site in other))
        if lines and len(lines) + len(more) > most:
            break
        lines += more
        count += 1
    columns = (Column("site", "name"), Column("shape", "name"), Column("in", "name"), Column("is", "words"))
    left = ordered[count:]
    differ = sum(site in other for site in left)
    parts = [f"{counted(differ, 'more site')} not the same"] if differ else []
    parts += [f"{counted(len(left) - differ, 'more site')} the same in all"] if len(left) > differ else []
    return Table(columns, tuple(lines)), f"and {' and '.join(parts)} (--full)" if parts else ""


def _site(site: SiteEntry, differs: bool) -> Iterator[Line]:
    """A line for all programs, or one for each that has it otherwise."""
    stated = site["programs"]
    if not differs:
        yield Line((site["name"], site["shape"], "all", next(iter(stated.values()), "")))
        return
    head = (site["name"], site["shape"])
    for text in dict.fromkeys(stated.values()):
        yield Line((*head, names([label for label, one in stated.items() if one == text]), text))
        head = ("", "")
