from hypothesis import given
from hypothesis import strategies as st
from reports import figures, table

from tokenusage.analyse.ranking import MEASURES, RANKED, rank
from tokenusage.analyse.report import Figures, Report, Row, together

MODELS = ("model",)


def models(*groups: tuple[str | None, Figures]) -> Report:
    """Return a report by model."""
    return table(MODELS, *(Row((name,), group) for name, group in groups))


def users(*groups: tuple[str | None, str | None, int]) -> Report:
    """Return a report by user and e-mail, with so many calls of a dollar in each group."""
    rows = (Row((user, email), figures(n, 10 * n, 0, n)) for user, email, n in groups)
    return table(RANKED["users"], *rows)


def order(report: Report, measure: str) -> list[str | None]:
    """Return the names in order."""
    return [row.name for row in rank(report, "models", measure, 10).rows]


def test_the_largest_comes_first_and_the_unknown_last() -> None:
    """A group without a price is not the cheapest: its cost is unknown."""
    report = models(
        ("own", figures(9, unpriced=9)),
        ("cheap", figures(1, dollars=0)),
        ("dear", figures(1, dollars=2)),
    )
    assert order(report, "cost") == ["dear", "cheap", "own"]
    last = rank(report, "models", "cost", 10).rows[-1]
    assert (last.share, last.cumulative_share, last.of_largest) == (None, None, 0.0)


def test_the_response_time_is_ranked_by_its_average() -> None:
    """Its share is of the summed time; a group that was never timed is unknown."""
    report = models(
        ("slow", figures(1, seconds=9)),
        ("busy", figures(27, seconds=1)),
        ("none", Figures(calls=1)),
    )
    slow, busy, none = rank(report, "models", "response_time", 10).rows
    assert [row.name for row in (slow, busy, none)] == ["slow", "busy", "none"]
    assert (slow.share, busy.share, none.share) == (0.25, 0.75, None)
    assert (slow.of_largest, busy.of_largest) == (1.0, 1 / 9)


def test_equals_are_in_order_of_cost_tokens_calls_and_name() -> None:
    """The same logs give the same order, whatever the order of their lines."""
    report = models(
        ("b", figures(1, 5)), ("", figures(1, 5)), ("a", figures(1, 5)), ("c", figures(1, 9))
    )
    assert order(report, "calls") == ["c", "", "a", "b"]


def test_calls_without_a_name_have_no_rank() -> None:
    """They come last, have a share, and take no place from those that have a name."""
    report = models((None, figures(8)), ("a", figures(1)), ("b", figures(1)))
    ranking = rank(report, "models", "calls", 1)
    assert [(row.rank, row.name, row.share, row.cumulative_share) for row in ranking.rows] == [
        (1, "a", 0.1, 0.1), (None, None, 0.8, None),
    ]  # fmt: skip
    assert ranking.rows[0].of_largest == 1.0
    assert (ranking.hidden, ranking.rest) == (1, figures(1))


def test_a_user_is_one_row_with_the_usual_email() -> None:
    """Calls without an e-mail don't outvote those that have one."""
    ranking = rank(
        users(("1", None, 9), ("1", "b@x", 2), ("1", "a@x", 2), ("2", None, 1), (None, "c@x", 3)),
        "users", "cost", 10,
    )  # fmt: skip
    assert [(row.name, row.email, row.figures.calls) for row in ranking.rows] == [
        ("1", "a@x", 13), ("2", None, 1), (None, "c@x", 3),
    ]  # fmt: skip


def test_a_total_of_nothing_has_no_shares() -> None:
    """Nobody has a share of no failures."""
    ranking = rank(models(("a", figures(3))), "models", "failures", 10)
    assert (ranking.rows[0].share, ranking.rows[0].of_largest) == (None, 0.0)


def test_no_calls_are_no_ranking() -> None:
    """An empty report gives no rows and no rest."""
    ranking = rank(models(), "models", "cost", 10)
    assert (ranking.rows, ranking.hidden, ranking.rest) == ((), 0, None)


GROUPS = st.lists(
    st.builds(
        figures,
        st.integers(2, 1000),
        st.integers(0, 10**12),
        dollars=st.integers(0, 10**6),
        seconds=st.integers(0, 100),
        failed=st.sampled_from([0, 1]),
        unpriced=st.sampled_from([0, 1]),
    ),
    max_size=20,
)


@given(GROUPS, st.sampled_from(MEASURES), st.integers(1, 20))
def test_nothing_is_lost_and_shares_add_up(groups: list[Figures], measure: str, limit: int) -> None:
    """Rows and rest are the totals; shares never rise; the last one so far is all of it."""
    report = models(*((str(n), group) for n, group in enumerate(groups)))
    ranking = rank(report, "models", measure, limit)
    rest = [ranking.rest] if ranking.rest else []
    assert together([*(row.figures for row in ranking.rows), *rest]) == report.totals
    assert len(ranking.rows) + ranking.hidden == len(groups)
    bars = [row.of_largest for row in ranking.rows]
    assert bars == sorted(bars, reverse=True)
    if not ranking.rest:
        known = [share for row in ranking.rows if (share := row.cumulative_share) is not None]
        assert known == sorted(known)
        assert known[-1:] in ([], [1.0])
