"""Which difference of a pair is the one to show, in every report and picture."""

from bayescore.report.document import PairEntry, RowEntry


def reach(row: RowEntry) -> float:
    """How far from nothing a difference may be, in its margins; infinite where that is not known."""
    ends = [abs(end) for end in (row["lower"], row["upper"]) if end is not None]
    return max(ends, default=float("inf")) / (row.get("margin") or 1.0)


def decisive(pair: PairEntry) -> RowEntry | None:
    """Of the rows that have the pair's verdict, if any has, that whose interval reaches furthest beyond its margin."""
    counted = [row for row in pair["rows"] if row["verdict"] != "expected"]
    alike = [row for row in counted if row["verdict"] == pair["verdict"]]
    return max(alike or counted, key=reach, default=None)


def furthest(pair: PairEntry) -> float:
    """How far the decisive difference reaches; 0 where none is judged."""
    row = decisive(pair)
    return 0.0 if row is None else reach(row)
