"""A year in the life of a model: ``python -m benchmarks.year`` (``make year``).

Monthly reference dates on the embedded sample and, where the data are, on Complete
Journey: a refit each quarter, scoring in between. Prints what changed names, by
month and by cause, and what the monitor said.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from segmentacao import backfill

ROOT = Path(__file__).resolve().parents[1]
# p-values and bootstrap decide no label
QUICK = {"rastreio": "desligado", "permutacoes": 19, "bootstrap_sorteios": 2}

COLUMNS = {
    "dt_ref": "dt_ref",
    "refit": "refit",
    "customers": "customers",
    "moved": "name changed since last month %",
    "model": "by the model alone %",
    "identity": "in another segment by the model alone %",
    "half_year": "moved since one window ago, same model %",
    "dormant": "of these to sem_compra %",
    "rfv": "RFV verdict",
    "categoria": "category verdict",
}

MONTHS = """
    with months as (
        select
            dt_ref,
            id_cliente,
            cluster,
            lag(cluster) over (partition by id_cliente order by dt_ref) as before
        from cluster_clientes_historico
    ),
    monthly as (
        select
            dt_ref,
            count(*) as customers,
            100 * avg(case when before is null then null
                when before <> cluster then 1.0 else 0.0 end) as moved
        from months group by 1
    ),
    causes as (
        select
            dt_ref,
            100 * coalesce(sum(clientes) filter (
                causa = 'modelo' and is_nome_mudou
            ), 0) / sum(clientes) filter (causa = 'modelo') as renamed,
            100 * coalesce(sum(clientes) filter (
                causa = 'modelo' and is_segmento_mudou
            ), 0) / sum(clientes) filter (causa = 'modelo') as regrouped,
            100 * sum(clientes) filter (
                causa = 'clientes' and de_segmento_id <> 'novo' and is_segmento_mudou
            ) / sum(clientes) filter (
                causa = 'clientes' and de_segmento_id <> 'novo'
            ) as half_year,
            100 * sum(clientes) filter (
                causa = 'clientes' and de_segmento_id <> 'novo' and is_segmento_mudou
                and para_segmento_id = 'sem_compra'
            ) / sum(clientes) filter (
                causa = 'clientes' and de_segmento_id <> 'novo'
            ) as dormant
        from migracao_clusters group by 1
    ),
    verdicts as (
        select
            dt_ref,
            max(veredito) filter (passo = 'rfv') as rfv,
            max(veredito) filter (passo = 'categoria') as categoria,
            bool_or(dt_ref = dt_ref_treino) as refit
        from monitor_deriva where indicador = 'geral' group by 1
    )
    select
        cast(dt_ref as varchar),
        case when refit then 'yes' else '' end,
        customers,
        round(moved, 1),
        round(renamed, 1),
        round(regrouped, 1),
        round(half_year, 1),
        round(dormant, 1),
        rfv,
        coalesce(categoria, '')
    from monthly
    left join causes using (dt_ref)
    left join verdicts using (dt_ref)
    order by dt_ref
"""

REFITS = """
    select
        cast(dt_ref as varchar), passo, round(max(ari), 3),
        round(100 * max(participacao_renomeada), 1),
        count(*) filter (situacao = 'continua'),
        count(*) filter (situacao = 'novo'),
        count(*) filter (situacao = 'aposentado'),
        round(min(jaccard) filter (situacao = 'continua'), 3)
    from segmentos_transicao
    where modelo_anterior_id is not null
    group by dt_ref, passo, modelo_id order by 1, 2 desc
"""

WORST = """
    select cast(dt_ref as varchar), passo, indicador, item, round(valor, 3), veredito
    from monitor_deriva
    where veredito <> 'estavel' and indicador <> 'geral'
    order by dt_ref, passo, indicador, item
"""


@dataclass(frozen=True)
class Year:
    """One data set and the dates that its history allows."""

    name: str
    first: dt.date
    last: dt.date
    variables: dict


def years(data: Path | None) -> list[Year]:
    """List the data sets: the sample, and Complete Journey where it is."""
    found = [Year("amostra", dt.date(2025, 1, 1), dt.date(2026, 1, 1), QUICK)]
    if data is not None:
        example = (ROOT / "examples/complete_journey.yml").read_text()
        # twelve months of data: a window of three leaves ten monthly dates
        variables = yaml.safe_load(example) | {"janela_meses": 3} | QUICK
        found.append(
            Year(
                "complete_journey",
                dt.date(2017, 4, 1),
                dt.date(2018, 1, 1),
                variables,
            )
        )
    return found


def live(year: Year, *, folder: Path, data: Path | None) -> Path:
    """Run the year and return its database."""
    database = folder / f"ano_{year.name}.duckdb"
    database.unlink(missing_ok=True)
    os.environ |= {
        "SEGMENTACAO_DB": str(database),
        "DBT_TARGET_PATH": str(folder / f"target_{year.name}"),
        "DBT_LOG_PATH": str(folder / f"logs_{year.name}"),
        "DADOS": str(data or ""),
    }
    steps = backfill.commands(
        backfill.reference_dates(year.first, year.last, months=1),
        refit_every=3,
        variables=year.variables,
    )
    if backfill.run(steps, log=lambda line: print(line, file=sys.stderr)):
        raise SystemExit(f"{year.name}: the year could not be run")
    return database


def table(header: list[str], rows: list[tuple]) -> str:
    """Write rows as a Markdown table."""
    lines = [header, ["---"] * len(header)]
    lines += [["" if cell is None else str(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report(year: Year, database: Path) -> str:
    """Write what the year did to the names."""
    with duckdb.connect(str(database), read_only=True) as connection:
        months = connection.execute(MONTHS).fetchall()
        refits = connection.execute(REFITS).fetchall()
        worst = connection.execute(WORST).fetchall()
    return "\n\n".join(
        [
            f"## {year.name}",
            table(list(COLUMNS.values()), months),
            table(
                [
                    "refit",
                    "step",
                    "ARI",
                    "renamed %",
                    "continued",
                    "new",
                    "retired",
                    "lowest Jaccard",
                ],
                refits,
            ),
            table(["dt_ref", "step", "measure", "item", "value", "verdict"], worst),
        ]
    )


def main() -> None:
    """Run the years and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.year")
    parser.add_argument("--dados", type=Path, help="folder of complete_journey.parquet")
    parser.add_argument("--pasta", type=Path, default=ROOT / "benchmarks/ano")
    options = parser.parse_args()
    data = options.dados.resolve() if options.dados else None
    folder = options.pasta.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(ROOT)
    for year in years(data):
        print(report(year, live(year, folder=folder, data=data)), end="\n\n")


if __name__ == "__main__":
    main()
