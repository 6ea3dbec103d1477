"""How far each new cluster holds the customers of each old one."""

from segmentacao.identity import pair_clusters


def model(dbt, session):
    counts = dbt.ref("ml_confronto").project(
        "passo_numero, cluster, cluster_anterior, clientes"
    )
    return pair_clusters(counts.to_arrow_table())
