"""Candidate category models: one row per k, cluster and feature."""

from segmentacao.candidates import propose_candidates
from segmentacao.progress import logger


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    customers = dbt.ref("ml_categoria_treino").to_arrow_table()
    return propose_candidates(
        customers, step="categoria", shares=True, log=logger(), **settings
    )
