"""The dates and the dbt commands of a back-fill."""

import datetime as dt
import json

import pytest

from segmentacao.backfill import HISTORY, commands, main, reference_dates


def test_months_end_is_clamped_and_does_not_stick():
    dates = reference_dates(dt.date(2024, 11, 30), dt.date(2025, 4, 1), months=1)
    assert [date.isoformat() for date in dates] == [
        "2024-11-30",
        "2024-12-30",
        "2025-01-30",
        "2025-02-28",
        "2025-03-30",
    ]


def test_both_ends_belong_and_a_step_may_jump_over_the_last():
    first = dt.date(2025, 1, 1)
    assert len(reference_dates(first, dt.date(2025, 7, 1), months=3)) == 3
    assert len(reference_dates(first, dt.date(2025, 6, 30), months=3)) == 2
    assert reference_dates(first, dt.date(2024, 12, 31), months=3) == []


def test_a_step_below_a_month_is_refused():
    with pytest.raises(ValueError, match="months is 0, allowed: at least 1"):
        reference_dates(dt.date(2025, 1, 1), dt.date(2025, 7, 1), months=0)


def trained(steps):
    """Return the dates whose command trains a model."""
    return [date.month for date, line in steps if date and "tag:treino" not in line]


def test_refits_each_quarter_or_never():
    dates = reference_dates(dt.date(2025, 1, 1), dt.date(2025, 7, 1), months=1)
    assert trained(commands(dates, refit_every=3)) == [1, 4, 7]
    assert trained(commands(dates, refit_every=1)) == [1, 2, 3, 4, 5, 6, 7]
    assert trained(commands(dates, refit_every=0)) == []


def test_the_past_is_written_and_not_published():
    *past, (no_date, current) = commands(
        [dt.date(2025, 3, 1)],
        refit_every=1,
        variables={"janela_meses": 3},
        options=["--target", "prod"],
    )
    [(date, line)] = past
    excluded = line[line.index("--exclude") : line.index("--vars")]
    assert date == dt.date(2025, 3, 1)
    assert "cluster_clientes" in excluded
    assert {f"+{model}" for model in HISTORY} <= set(line)
    assert json.loads(line[line.index("--vars") + 1]) == {
        "janela_meses": 3,
        "dt_ref": "2025-03-01",
    }
    assert line[-2:] == ["--target", "prod"]
    # the last run is the daily one: it publishes, and trains nothing
    assert no_date is None
    assert "cluster_clientes" not in current
    assert "tag:treino" in current
    assert json.loads(current[current.index("--vars") + 1]) == {"janela_meses": 3}


def test_a_range_that_ends_before_it_begins_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--de", "2025-03-01", "--ate", "2025-02-01"])
    assert "--ate 2025-02-01 is before --de 2025-03-01" in capsys.readouterr().err
