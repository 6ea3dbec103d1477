"""Run past reference dates one after the other: ``python -m segmentacao.backfill``.

Each date is a dbt run of its own with ``dt_ref`` set, oldest first, because a date
is scored by the last model trained at or before it. The published mart is left
alone; at the end the current date is scored again, so that the working tables
belong to it.
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HISTORY = ["cluster_clientes_historico", "migracao_clusters", "monitor_deriva"]
# what is published is today's, whatever date is being written
PUBLISHED = ["cluster_clientes", "test_type:unit"]


def reference_dates(first: dt.date, last: dt.date, *, months: int) -> list[dt.date]:
    """List reference dates, ``months`` apart, both ends included.

    Parameters
    ----------
    first, last : datetime.date
        First date, and the latest that may be listed.
    months : int
        Step, at least 1. A day that a month does not have becomes its last one:
        after 31 January comes 28 February, and then 31 March.

    Returns
    -------
    list of datetime.date
        Oldest first; empty when ``last`` is before ``first``.

    Raises
    ------
    ValueError
        If ``months`` is below 1.
    """
    if months < 1:
        raise ValueError(f"months is {months}, allowed: at least 1")
    dates = []
    while (date := _add_months(first, months * len(dates))) <= last:
        dates.append(date)
    return dates


def _add_months(date: dt.date, months: int) -> dt.date:
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    day = min(date.day, calendar.monthrange(year, month + 1)[1])
    return dt.date(year, month + 1, day)


def commands(
    dates: Sequence[dt.date],
    *,
    refit_every: int,
    variables: dict | None = None,
    options: Sequence[str] = (),
) -> Iterator[tuple[dt.date | None, list[str]]]:
    """List the dbt commands of a back-fill.

    Parameters
    ----------
    dates : sequence of datetime.date
        Reference dates, oldest first.
    refit_every : int
        Every how many dates a model is trained: 1 trains at each, 3 at the first,
        fourth and so on, 0 never.
    variables : dict, optional
        Vars of every run.
    options : sequence of str
        More arguments of every dbt command, such as ``--target``.

    Yields
    ------
    tuple of (datetime.date or None, list of str)
        The date that the command writes and its arguments after ``dbt``. The last
        has no date: it scores the current one again.

    Raises
    ------
    ValueError
        If ``refit_every`` is negative.
    """
    if refit_every < 0:
        raise ValueError(f"refit_every is {refit_every}, allowed: at least 0")
    for place, date in enumerate(dates):
        is_refit = refit_every > 0 and place % refit_every == 0
        yield (
            date,
            [
                "build",
                # no test that needs a table which this run does not build
                "--indirect-selection",
                "cautious",
                "--select",
                *(f"+{model}" for model in HISTORY),
                "--exclude",
                *PUBLISHED,
                *([] if is_refit else ["tag:treino"]),
                "--vars",
                _as_vars({**(variables or {}), "dt_ref": date.isoformat()}),
                *options,
            ],
        )
    yield (
        None,
        [
            "build",
            "--exclude",
            "test_type:unit",
            "tag:treino",
            "--vars",
            _as_vars(variables or {}),
            *options,
        ],
    )


def run(
    steps: Iterator[tuple[dt.date | None, list[str]]],
    *,
    log: Callable[[str], None] = print,
) -> int:
    """Run the commands one after the other and stop at the first that fails.

    Parameters
    ----------
    steps : iterator of (datetime.date or None, list of str)
        As from :func:`commands`.
    log : callable
        Takes one line of text for each command.

    Returns
    -------
    int
        Exit code of the last dbt that ran; 0 when all went well.
    """
    for date, arguments in steps:
        done = subprocess.run(
            [Path(sys.executable).with_name("dbt"), "--no-use-colors", *arguments],
            capture_output=True,
            text=True,
        )
        what = date.isoformat() if date else "current date"
        if done.returncode:
            log(done.stdout + done.stderr)
            log(f"{what}: failed, and nothing later was run")
            return done.returncode
        log(f"{what}: done")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and run the back-fill."""
    parser = argparse.ArgumentParser(prog="python -m segmentacao.backfill")
    parser.add_argument("--de", required=True, type=dt.date.fromisoformat)
    parser.add_argument("--ate", required=True, type=dt.date.fromisoformat)
    parser.add_argument("--passo-meses", type=int, default=1)
    parser.add_argument(
        "--treinar-a-cada",
        type=int,
        default=1,
        help="dates between two trainings; 0 scores with the models there are",
    )
    parser.add_argument("--vars", default="{}", help="vars of every run, as YAML")
    known, options = parser.parse_known_args(argv)
    import yaml

    dates = reference_dates(known.de, known.ate, months=known.passo_meses)
    if not dates:
        parser.error(f"--ate {known.ate} is before --de {known.de}")
    return run(
        commands(
            dates,
            refit_every=known.treinar_a_cada,
            variables=yaml.safe_load(known.vars),
            options=options,
        )
    )


def _as_vars(variables: dict) -> str:
    import json

    return json.dumps(variables)


if __name__ == "__main__":
    sys.exit(main())
