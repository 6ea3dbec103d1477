"""Write the report: python -m segmentacao.report."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from segmentacao.report.reading import MissingTable, read


def main(arguments: list[str] | None = None) -> int:
    """Write the report and print its path as the last line.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process by default.

    Returns
    -------
    int
        Exit code.
    """
    parser = argparse.ArgumentParser(
        prog="python -m segmentacao.report",
        description="Write the Insiders report as one HTML file.",
    )
    parser.add_argument(
        "--banco",
        type=Path,
        default=Path(os.environ.get("SEGMENTACAO_DB", "segmentacao.duckdb")),
        help="DuckDB file that a build wrote (default: SEGMENTACAO_DB, or %(default)s)",
    )
    parser.add_argument(
        "--saida",
        type=Path,
        default=Path("target/relatorio_insiders.html"),
        help="HTML file to write (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        warehouse = read(options.banco)
    except MissingTable as problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        from segmentacao.report.page import render
    except ImportError as problem:
        print(
            f"{problem}: install the extra, pip install 'segmentacao[relatorio]'",
            file=sys.stderr,
        )
        return 1
    options.saida.parent.mkdir(parents=True, exist_ok=True)
    options.saida.write_text(render(warehouse), encoding="utf-8")
    print(options.saida.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main())
