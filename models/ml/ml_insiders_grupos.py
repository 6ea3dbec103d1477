"""The groups of the chosen way: one row per reference date and customer."""

from segmentacao.insiders.groups import group_customers


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    features = dbt.ref("feat_comportamento").to_arrow_table()
    choice = dbt.ref("ml_insiders_escolha").filter("is_escolhido").to_arrow_table()
    return group_customers(features, choice, **settings)
