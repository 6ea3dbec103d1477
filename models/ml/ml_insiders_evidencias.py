"""Forecast and evidence out of time: one row per date, measure and group."""

from segmentacao.insiders.evidence import collect_evidence


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    customers = dbt.ref("ml_insiders_historico").to_arrow_table()
    return collect_evidence(customers, **settings)
