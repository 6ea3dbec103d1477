"""What the report reads from the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

#: Tables of the report, with the order of their rows.
TABLES = {
    "insiders_relatorio": "order by pergunta, item",
    "insiders_perfil": "order by posicao",
    "insiders_clientes": "order by valor desc, id_cliente",
    "ml_insiders_escolha": "order by espaco, algoritmo, k",
    "ml_insiders_regra": "order by dt_ref, ramo, condicao",
    "feat_insiders_datas": "order by ordem",
    "feat_referencias": "order by ordem",
    "qualidade_vendas": "order by situacao, linhas desc",
}


class MissingTable(Exception):
    """The warehouse has no Insiders tables yet."""


@dataclass(frozen=True)
class Warehouse:
    """The tables of one run.

    Attributes
    ----------
    tables : dict of str to DataFrame
        See `TABLES`, and `comportamento`: the features of the customers at the
        current date with their group.
    currency : str or None
        The one currency of the sales, where the source names it.
    """

    tables: dict[str, pd.DataFrame]
    currency: str | None

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table."""
        return self.tables[name]


def read(database: Path) -> Warehouse:
    """Read the tables of the report.

    Parameters
    ----------
    database : Path
        DuckDB file that a build wrote; opened to read only.

    Returns
    -------
    Warehouse

    Raises
    ------
    MissingTable
        The file is missing, or was built without the Insiders programme.
    """
    import duckdb

    if not database.exists():
        raise MissingTable(f"{database} does not exist: run dbt build first")
    with duckdb.connect(str(database), read_only=True) as connection:
        places = dict(
            connection.execute(
                "select table_name, min(table_schema) from information_schema.tables "
                "group by 1"
            ).fetchall()
        )
        missing = [name for name in TABLES if name not in places]
        if missing:
            raise MissingTable(
                f"{database} has no {', '.join(missing)}: run dbt build with "
                "insiders_ativo: true"
            )

        def frame(sql):
            return connection.execute(sql).df()

        def place(name):
            return f'"{places[name]}"."{name}"'

        tables = {
            name: frame(f"select * from {place(name)} {order}")
            for name, order in TABLES.items()
        }
        tables["comportamento"] = frame(
            f"""
            select features.*, clientes.grupo, clientes.is_insider
            from {place("feat_comportamento")} as features
            inner join {place("insiders_clientes")} as clientes
                on features.dt_ref = clientes.dt_ref
                and features.id_cliente = clientes.id_cliente
            order by features.id_cliente
            """
        )
        currencies = frame(
            f"select distinct moeda from {place('stg_vendas')} where moeda is not null"
        )["moeda"].tolist()
    return Warehouse(tables, currencies[0] if len(currencies) == 1 else None)
