"""The MLflow run of each step's fit, logged after every number is in place."""

from dbt_common.invocation import get_invocation_id

from segmentacao.progress import logger
from segmentacao.tracking import Tracking, log_models

LAST_FIT = """
    select * from modelos
    where posicao = 0 and treinado_em = (select max(treinado_em) from modelos)
"""


def model(dbt, session):
    settings = dbt.config.meta_get("settings")
    params = dbt.config.meta_get("params")
    candidates = dbt.ref("ml_candidatos").to_arrow_table()
    choice = dbt.ref("ml_escolha_k").to_arrow_table()
    # of the last fit, which a pinned older version may keep out of force
    labels = dbt.ref("ml_modelos").query("modelos", LAST_FIT)
    dates = dbt.ref("feat_referencias").filter("papel = 'atual'").fetchall()
    return log_models(
        candidates,
        choice,
        labels.to_arrow_table(),
        settings=Tracking(**settings),
        params=params,
        run_id=get_invocation_id(),
        dt_ref=str(dates[0][0]),
        log=logger(),
    )
