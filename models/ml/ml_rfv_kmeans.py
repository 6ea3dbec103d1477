"""Candidate RFV models: one row per k, cluster and feature."""

from segmentacao.candidates import propose_candidates
from segmentacao.progress import logger


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    customers = dbt.ref("ml_rfv_treino").to_arrow_table()
    return propose_candidates(
        customers, step="rfv", shares=False, log=logger(), **settings
    )
