"""The whole build against the same work by hand and against pandas."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.measure import measured

#: Sale lines and customers; the goals are judged at 100 million and 1 million.
SIZES = [
    (1_000_000, 10_000),
    (10_000_000, 100_000),
    (100_000_000, 1_000_000),
    (20_000_000, 5_000_000),
]
QUICK_SIZES = [(1_000_000, 10_000)]
#: pandas needs some 400 bytes a line: 100 million do not fit here.
PANDAS_MAX = 10_000_000
#: Everything else too (history, drift, Insiders, publishing) up to this size.
EVERYTHING_MAX = 10_000_000
#: What is also written by hand: the main job, from the lines to its marts.
MAIN_JOB = ("+cluster_clientes", "+perfil_clusters", "+qualidade_vendas")
#: Stability costs the same at every size: the quick run takes fewer draws.
QUICK_SETTINGS = {"permutacoes": 19, "bootstrap_sorteios": 2}
#: What DuckDB may take, in dbt and by hand; the rest of 4 GB is for Python.
MEMORY_LIMIT = "3000MB"
SLOWEST_NODES = 8


def run(options, report) -> None:
    """Build every size; arguments as in `benchmarks.core.run`."""
    for lines, customers in QUICK_SIZES if options.quick else SIZES:
        if lines <= options.max_lines:
            _one_size(options, report, lines, customers)
    if options.sample:
        _sample(options, report)


def case_name(customers: int) -> str:
    """Name of a case: its number of customers."""
    return f"{customers:,} customers"


def _one_size(options, report, lines, customers):
    source = sale_lines(options, report, lines, customers)
    case = case_name(customers)
    by_dbt, by_hand = (
        str(Path(options.folder, f"{way}_{lines}_{customers}"))
        for way in ("dbt", "hand")
    )
    settings = QUICK_SETTINGS if options.quick else {}
    call = {
        "variables": {"vendas": f"read_parquet('{source}/*.parquet')"}
        | {"rastreio": "desligado"}
        | settings,
        "memory_limit": options.memory_limit,
        "exclude": ("resource_type:seed,amostra_vendas",),
    }
    built = measured("benchmarks.dbt_run:build", folder=by_dbt, select=MAIN_JOB, **call)
    report.add("build", case, "dbt build", lines, built)
    _print_nodes(built)
    if lines <= EVERYTHING_MAX and not options.quick:
        folder = f"{by_dbt}_everything"
        every = measured("benchmarks.dbt_run:build", folder=folder, **call)
        report.add("build", case, "dbt build, all models", lines, every)
        _print_nodes(every)
        shutil.rmtree(folder)
    written = measured(
        "benchmarks.handwritten:build",
        source=source,
        folder=by_hand,
        memory_limit=options.memory_limit,
        variables=settings,
    )
    report.add("build", case, "by hand", lines, written)
    same = measured("benchmarks.build:compare", by_dbt=by_dbt, by_hand=by_hand)
    report.add("build", case, "dbt = by hand?", lines, same)
    if lines <= PANDAS_MAX and not options.quick:
        cost = measured("benchmarks.pandas_way:build", source=source)
        report.add("build", case, "pandas", lines, cost)
    shutil.rmtree(by_hand)
    if not options.keep:
        shutil.rmtree(by_dbt)
        if not options.data_dir:
            shutil.rmtree(source)


def sale_lines(options, report, lines, customers) -> str:
    """Generate the lines, unless the data folder already holds them."""
    home = Path(options.data_dir or options.folder)
    folder = home / f"vendas_{lines}_{customers}"
    done = folder / "_complete"
    if not done.exists():
        made = measured(
            "benchmarks.generate:sale_lines",
            folder=str(folder),
            lines=lines,
            customers=customers,
            memory_limit="4GB",
        )
        done.touch()
        report.add("build", case_name(customers), "generate", lines, made)
    return str(folder)


def _print_nodes(built):
    counts = ", ".join(f"{n} {kind}" for kind, n in built["nodes"].items())
    print(f"{'':10}nodes: {counts}; seconds of the slowest:")
    for name, seconds in list(built["seconds_by_node"].items())[:SLOWEST_NODES]:
        print(f"{'':12}{seconds:8.2f}  {name}")


def compare(watch, *, by_dbt: str, by_hand: str) -> dict:
    """Whether both builds hold the same customers, features and groups."""
    import duckdb

    with watch, duckdb.connect() as connection:
        connection.execute(f"attach '{by_dbt}/warehouse.duckdb' as d (read_only)")
        connection.execute(f"attach '{by_hand}/handwritten.duckdb' as h (read_only)")
        both = """
            d.cluster_clientes as a
            full join h.cluster_clientes as b using (id_cliente)
        """
        rows, differ = connection.execute(
            f"""
            select count(*), count(*) filter (
                (a.recencia_dias, a.frequencia, a.valor, a.faixa)
                is distinct from (b.recencia_dias, b.frequencia, b.valor, b.faixa)
            ) from {both}
            """
        ).fetchone()
        agree = {
            step: _agreement(connection, both, f"cluster_{step}")
            for step in ("rfv", "categoria")
        }
    note = f"{differ} of {rows} customers differ, groups agree {agree}"
    return {"rows": rows, "features_differ": differ, "agree": agree, "note": note}


def _agreement(connection, both, column) -> float:
    """Share of customers in the largest common part of each group."""
    return connection.execute(
        f"""
        select round(sum(largest) / sum(everybody), 4) from (
            select max(n) as largest, sum(n) as everybody from (
                select a.{column} as x, b.{column} as y, count(*) as n
                from {both} where b.{column} is not null group by all
            ) group by x
        )
        """
    ).fetchone()[0]


def _sample(options, report):
    """Build the embedded sample with tracking, twice: the second is warm."""
    folder = str(Path(options.folder, "sample"))
    variables = {
        "rastreio": "ligado",
        "mlflow_uri": f"sqlite:///{folder}/rastreio/mlflow.db",
        "mlflow_artefatos": f"{folder}/rastreio/artefatos",
    }
    for way in ("dbt build, first", "dbt build, second"):
        built = measured("benchmarks.dbt_run:build", folder=folder, variables=variables)
        report.add("build", "embedded sample", way, _sample_lines(), built)
    _print_nodes(built)
    shutil.rmtree(folder)


def _sample_lines() -> int:
    from benchmarks.measure import ROOT

    with open(ROOT / "seeds" / "amostra_vendas.csv", encoding="utf-8") as file:
        return sum(1 for _ in file) - 1
