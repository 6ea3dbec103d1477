"""A mart to PostgreSQL: our plugin beside dbt-duckdb's own `sqlalchemy` plugin.

Both are asked what dbt asks them, `store`, for the columns of
`cluster_clientes` and a table that is there already. Theirs starts from the
Parquet file that dbt-duckdb writes for it, ours from the warehouse.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

from benchmarks.measure import ROOT, measured

SIZES = [1_000_000]
QUICK_SIZES = [100_000]
TABLE = "cluster_clientes"
URL = "SEGMENTACAO_PUBLICACAO_URL"


def run(options, report) -> None:
    """Publish each number of customers; arguments as in `benchmarks.core.run`."""
    sys.path.insert(0, str(ROOT / "tests" / "python"))
    from servers import find_binary, postgres

    if not find_binary("initdb"):
        print("no publishing: Debian's package postgresql is not installed")
        return
    with postgres() as server:
        url = server.url().replace("postgresql:", "postgresql+psycopg:")
        for n in QUICK_SIZES if options.quick else SIZES:
            if n > options.max_customers:
                continue
            folder = str(Path(options.folder, f"publishing_{n}"))
            measured("benchmarks.publishing:fill", folder=folder, n=n)
            arguments = {"folder": folder, "url": url}
            for way in ("ours", "sqlalchemy plugin"):
                function = way.partition(" ")[0]
                cost = measured(f"benchmarks.publishing:{function}", **arguments)
                report.add("publishing", "PostgreSQL", way, n, cost)


def fill(watch, *, folder: str, n: int) -> None:
    """Write `n` customers with the columns and types of the mart."""
    import duckdb

    Path(folder).mkdir(parents=True)
    with watch, duckdb.connect(f"{folder}/warehouse.duckdb") as connection:
        connection.execute(
            f"""
            create table {TABLE} as
            select
                date '2026-01-01' as dt_ref,
                'C' || lpad(cast(i as varchar), 8, '0') as id_cliente,
                '03-VIPs/Alta Receita:Tech_Lovers' as cluster,
                '03-VIPs/Alta Receita' as cluster_rfv,
                'Tech_Lovers' as cluster_categoria,
                'vip' as segmento_rfv_id,
                'eletronicos' as segmento_categoria_id,
                'ativo' as faixa,
                cast(hash(i) % 180 + 1 as integer) as recencia_dias,
                cast(hash(i) % 40 + 1 as integer) as frequencia,
                cast(hash(i) % 1000000 / 100 as decimal(18, 2)) as valor,
                cast(hash(i) % 100000 / 100 as decimal(18, 2)) as ticket_medio,
                hash(i) / 1.8446744073709552e19 as distancia,
                hash(i + 1) / 1.8446744073709552e19 as margem,
                'rfv-0123456789ab' as modelo_rfv_id,
                'categoria-0123456789ab' as modelo_categoria_id,
                '0b2c3f6a-7d1e-4c59-9f0a-1d2e3f4a5b6c' as run_id,
                timestamp '2026-01-01 10:11:12' as calculado_em
            from range({n}) as t(i);
            copy {TABLE} to '{folder}/{TABLE}.parquet' (format parquet)
            """
        )


class _Relation:
    identifier = TABLE

    def __str__(self):
        return TABLE


class _Target:
    """What dbt-duckdb hands to a plugin, as far as the two look at it."""

    relation = _Relation()

    def __init__(self, folder):
        path = f"{folder}/{TABLE}.parquet"
        self.location = SimpleNamespace(format="parquet", path=path)


def ours(watch, *, folder: str, url: str) -> None:
    """Publish twice, measure the second: the table is there already."""
    import duckdb

    from segmentacao.dbt_plugin import Plugin

    os.environ[URL] = url
    plugin = Plugin("publicado", {"variavel_url": URL})
    with duckdb.connect(f"{folder}/warehouse.duckdb", read_only=True) as connection:
        plugin.configure_connection(connection)
        plugin.store(_Target(folder))
        with watch:
            plugin.store(_Target(folder))


def sqlalchemy(watch, *, folder: str, url: str) -> None:
    """Let the other plugin replace the table that ours left."""
    from dbt.adapters.duckdb.plugins.sqlalchemy import Plugin

    plugin = Plugin("sqlalchemy", {"connection_url": url})
    with watch:
        plugin.store(_Target(folder))
