"""Candidate RFV models: one row per k, cluster and feature."""

from segmentacao.candidates import propose_candidates
from segmentacao.progress import logger


def model(dbt, session):
    settings = {
        "transforms": dbt.config.meta_get("transforms"),
        "standardize": dbt.config.meta_get("standardize"),
        "k_max": dbt.config.meta_get("k_max"),
        "n_init": dbt.config.meta_get("n_init"),
        "random_state": dbt.config.meta_get("random_state"),
        "exact_max": dbt.config.meta_get("exact_max"),
        "fit_max": dbt.config.meta_get("fit_max"),
        "bootstrap_draws": dbt.config.meta_get("bootstrap_draws"),
        "permutations": dbt.config.meta_get("permutations"),
        "stability_max": dbt.config.meta_get("stability_max"),
    }
    customers = dbt.ref("ml_rfv_treino").to_arrow_table()
    return propose_candidates(
        customers, step="rfv", shares=False, log=logger(), **settings
    )
