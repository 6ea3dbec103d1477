"""Customers per second through the project's own scoring SQL.

A small build provides the model in force and the compiled SQL of
`ml_atribuicoes`. The tables that hold customers are then filled with as many
as wanted, and the same SQL runs on them unchanged.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks.build import sale_lines
from benchmarks.measure import measured

SIZES = [1_000_000, 5_000_000]
QUICK_SIZES = [1_000_000]
SOURCE_LINES, SOURCE_CUSTOMERS = 1_000_000, 10_000
MODEL = "ml_atribuicoes"


def run(options, report) -> None:
    """Score each number of customers; arguments as in `benchmarks.core.run`."""
    built = _warehouse(options, report)
    for n in QUICK_SIZES if options.quick else SIZES:
        if n > options.max_customers:
            continue
        folder = str(Path(options.folder, f"scoring_{n}"))
        measured("benchmarks.scoring:fill", built=built, folder=folder, n=n)
        cost = measured(
            "benchmarks.scoring:score",
            built=built,
            folder=folder,
            memory_limit=options.memory_limit,
        )
        report.add("scoring", "both steps", "compiled SQL", n, cost)
        shutil.rmtree(folder)


def _warehouse(options, report) -> str:
    """Build a million lines, or take what the build part has left."""
    name = f"dbt_{SOURCE_LINES}_{SOURCE_CUSTOMERS}"
    folder = Path(options.folder, name)
    if not (folder / "warehouse.duckdb").exists():
        source = sale_lines(options, report, SOURCE_LINES, SOURCE_CUSTOMERS)
        measured(
            "benchmarks.dbt_run:build",
            folder=str(folder),
            variables={"vendas": f"read_parquet('{source}/*.parquet')"}
            | {"rastreio": "desligado", "permutacoes": 19, "bootstrap_sorteios": 2},
            exclude=("resource_type:seed,amostra_vendas", "resource_type:test"),
        )
    return str(folder)


def _compiled(built) -> str:
    return next(Path(built, "target", "compiled").rglob(f"{MODEL}.sql")).read_text()


def _tables(query) -> set[str]:
    """Names of the tables that the compiled SQL reads."""
    return set(re.findall(r'"warehouse"\."main"\."(\w+)"', query))


def fill(watch, *, built: str, folder: str, n: int) -> dict:
    """Write the tables that the scoring reads, with `n` customers to score."""
    import duckdb

    tables = _tables(_compiled(built))
    Path(folder).mkdir(parents=True)
    with watch:
        with duckdb.connect(f"{built}/warehouse.duckdb", read_only=True) as connection:
            for table in tables:
                query = _more_customers(connection, table, n)
                connection.execute(
                    f"copy ({query}) to '{folder}/{table}.parquet' (format parquet)"
                )
        with duckdb.connect(f"{folder}/warehouse.duckdb") as connection:
            for table in tables:
                connection.execute(
                    f"create table {table} as from '{folder}/{table}.parquet'"
                )
    return {}


def _more_customers(connection, table, n) -> str:
    """Repeat the current customers of the table with new ids up to `n`."""
    columns = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    if "id_cliente" not in columns:
        return f"select * from {table}"
    current = """
        dt_ref = (select dt_ref from feat_referencias where papel = 'atual')
        and id_cliente in (
            select id_cliente from feat_rfv
            where faixa <> 'sem_compra_na_janela' and dt_ref = (
                select dt_ref from feat_referencias where papel = 'atual'
            )
        )
    """
    here = connection.execute(
        f"select count(*) from {table} where {current}"
    ).fetchone()[0]
    return f"""
        select t.* replace (t.id_cliente || ':' || copies.i as id_cliente)
        from range({-(-n // here)}) as copies(i)
        cross join (select * from {table} where {current}) as t
        where copies.i * {here} < {n}
    """


def score(watch, *, built: str, folder: str, memory_limit: str) -> dict:
    """Run the compiled SQL into a table and count customers per second."""
    import duckdb

    query = _compiled(built)
    with duckdb.connect(f"{folder}/warehouse.duckdb") as connection:
        connection.execute("set threads = 2")
        connection.execute(f"set memory_limit = '{memory_limit}'")
        with watch:
            connection.execute(f"create table scored as {query}")
        rows, customers = connection.execute(
            "select count(*), count(distinct id_cliente) from scored"
        ).fetchone()
    rate = customers / watch.wall
    return {
        "customers": customers,
        "labels": rows,
        "customers_per_second": rate,
        "note": f"{rate:,.0f} customers a second, {rows / customers:.0f} labels each",
    }
