"""The entry rule: one row per reference date, branch and condition."""

from segmentacao.insiders.rule import entry_rules


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    customers = dbt.ref("ml_insiders_membros").to_arrow_table()
    return entry_rules(customers, **settings)
