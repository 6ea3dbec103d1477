"""Every way of grouping customers: one row per space, algorithm and k."""

from segmentacao.insiders.comparison import compare
from segmentacao.progress import logger


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    features = dbt.ref("feat_comportamento")
    dates = dbt.ref("feat_referencias").filter("papel = 'atual'").set_alias("d")
    customers = features.set_alias("f").join(dates, "f.dt_ref = d.dt_ref", "semi")
    return compare(customers.to_arrow_table(), log=logger(), **settings)
