"""Read what dbt hands over into one step for each clustering.

Only the columns named here are read, and none of them knows a customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from segmentacao.tracking.pipeline import PIPELINE_COLUMNS, take_columns

MEASURES = [
    "silhueta",
    "silhueta_erro",
    "wss",
    "calinski_harabasz",
    "davies_bouldin",
    "ari_bootstrap",
    "p_valor",
]
_CANDIDATE_COLUMNS = [
    "passo",
    "k",
    *PIPELINE_COLUMNS,
    "media_cluster",
    "media_base",
    "desvio_base",
    "clientes",
    "menor_cluster",
    "digest",
    *MEASURES,
]
_CHOICE_COLUMNS = [
    "passo",
    "k",
    "is_escolhido",
    "is_admissivel",
    "motivo",
    "is_instavel",
    "is_sem_estrutura",
]
_LABEL_COLUMNS = ["passo", "k", "cluster", "segmento_id", "rotulo", "modelo_id"]


@dataclass(frozen=True)
class Step:
    """One clustering step, ready to be logged; ``problem`` says why it is not."""

    passo: str
    modelo_id: str | None
    k: int
    measures: pd.DataFrame
    rows: pd.DataFrame
    labels: list[str]
    segments: list[str]
    choice: Mapping[str, Any]
    problem: str | None = None

    @property
    def sizes(self) -> list[int]:
        """Customers of each cluster, in the order of their numbers."""
        by_cluster = self.rows.drop_duplicates("cluster").sort_values("cluster")
        return by_cluster["clientes"].astype(int).tolist()

    @property
    def digest(self) -> str:
        """Digest of the rows that were fitted."""
        return str(self.rows["digest"].iloc[0])

    @property
    def variables(self) -> pd.DataFrame:
        """One row for each variable, in the order of the columns."""
        return self.rows.drop_duplicates("posicao").sort_values("posicao")


def read_steps(candidates: Any, choice: Any, labels: Any) -> list[Step]:
    """Return the steps in the order of their names."""
    rows = take_columns(candidates, _CANDIDATE_COLUMNS, "candidates")
    chosen = take_columns(choice, _CHOICE_COLUMNS, "choice")
    names = take_columns(labels, _LABEL_COLUMNS, "labels")
    numbers = [*MEASURES, "media_cluster", "media_base", "desvio_base"]
    rows[numbers] = rows[numbers].astype(float)
    for column in ("is_escolhido", "is_admissivel", "is_instavel", "is_sem_estrutura"):
        chosen[column] = chosen[column].eq(True).fillna(False).astype(bool)
    return [
        _read_step(
            str(passo),
            rows[rows["passo"] == passo],
            chosen[chosen["passo"] == passo],
            names[names["passo"] == passo],
        )
        for passo in sorted(rows["passo"].unique())
    ]


def _read_step(
    passo: str, rows: pd.DataFrame, choice: pd.DataFrame, labels: pd.DataFrame
) -> Step:
    picked = choice[choice["is_escolhido"]]
    ids = labels["modelo_id"].dropna().unique()
    modelo_id = str(ids[0]) if len(ids) else None
    k = int(picked["k"].iloc[0]) if len(picked) else 0
    chosen_rows = rows[rows["k"] == k].sort_values(["cluster", "posicao"])
    problem = None
    if len(picked) != 1:
        problem = f"{len(picked)} valores de k escolhidos, o esperado e 1"
    elif chosen_rows.empty:
        problem = f"o k escolhido ({k}) nao esta entre os candidatos"
    elif len(ids) != 1:
        problem = f"{len(ids)} valores de modelo_id nos rotulos, o esperado e 1"
    return Step(
        passo=passo,
        modelo_id=modelo_id,
        k=k,
        measures=_measures(rows, choice),
        rows=chosen_rows,
        labels=_texts_by_cluster(labels, "rotulo", k),
        segments=_texts_by_cluster(labels, "segmento_id", k),
        choice=picked.iloc[0].to_dict() if len(picked) else {},
        problem=problem,
    )


def _measures(rows: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Reduce the long table to one row per k, joined with the verdicts on it."""
    customers = rows.drop_duplicates(["k", "cluster"]).groupby("k")["clientes"].sum()
    table = rows.drop_duplicates("k").sort_values("k")
    table = table[["k", "menor_cluster", *MEASURES]].reset_index(drop=True)
    total = table["k"].map(customers).astype(float)
    table["menor_cluster_participacao"] = table["menor_cluster"].astype(float) / total
    verdicts = choice[["k", "is_escolhido", "is_admissivel"]]
    table = table.merge(verdicts, on="k", how="left")
    for column in ("is_escolhido", "is_admissivel"):
        table[column] = table[column].eq(True)
    return table


def _texts_by_cluster(labels: pd.DataFrame, column: str, k: int) -> list[str]:
    texts = dict(zip(labels["cluster"], labels[column], strict=True))
    return [str(texts.get(cluster) or f"cluster {cluster}") for cluster in range(k)]
