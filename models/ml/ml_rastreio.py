"""The MLflow run of each step's fit, logged after every number is in place."""

from dbt_common.invocation import get_invocation_id

from segmentacao.progress import logger
from segmentacao.tracking import Tracking, log_models


def model(dbt, session):
    settings = Tracking(
        mode=dbt.config.meta_get("mode"),
        uri=dbt.config.meta_get("uri"),
        artifact_location=dbt.config.meta_get("artifact_location"),
        experiment=dbt.config.meta_get("experiment"),
    )
    params = dbt.config.meta_get("params")
    candidates = dbt.ref("ml_candidatos").to_arrow_table()
    choice = dbt.ref("ml_escolha_k").to_arrow_table()
    labels = dbt.ref("ml_nomes_em_vigor").to_arrow_table()
    dates = dbt.ref("feat_referencias").filter("papel = 'atual'").fetchall()
    return log_models(
        candidates,
        choice,
        labels,
        settings=settings,
        params=params,
        run_id=get_invocation_id(),
        dt_ref=str(dates[0][0]),
        log=logger(),
    )
