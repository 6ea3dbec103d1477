"""The same segments with pandas and scikit-learn, as a notebook makes them.

Current date only: no earlier dates, no stability, no refused lines kept. K is
the one with the highest silhouette of 10,000 customers.
"""

from __future__ import annotations

from benchmarks.contestants import KS, SEED


def build(watch, *, source: str) -> dict:
    """Segment the customers of the Parquet files of `source`."""
    with watch:
        import pandas as pd

        lines = _clean(pd.read_parquet(source))
        end = lines["data_venda"].max() + pd.Timedelta(days=1)
        start = end - pd.DateOffset(months=6)
        customers = _rfv(lines, start, end)
        window = lines[lines["data_venda"] >= start]
        shares = _shares(window)
        customers["cluster_rfv"], k_rfv = _cluster(_scaled(customers))
        labels, k_shares = _cluster(shares.to_numpy())
        customers["cluster_categoria"] = pd.Series(labels, index=shares.index)
    return {"rows": len(customers), "ks": {"rfv": k_rfv, "categoria": k_shares}}


def _clean(lines):
    import pandas as pd

    lines["data_venda"] = pd.to_datetime(lines["data_venda"], errors="coerce")
    lines["preco_unitario"] = lines["preco_unitario"].astype(float)
    lines["valor"] = lines["quantidade"] * lines["preco_unitario"]
    keep = (
        lines["id_cliente"].notna()
        & (lines["data_venda"] >= "2000-01-01")
        & ~lines["id_produto"].isin(["FRETE", "AJUSTE", "POST", "D"])
    )
    return lines[keep].drop_duplicates(["id_venda", "id_linha"])


def _rfv(lines, start, end):
    bought = lines[lines["valor"] > 0]
    recent = bought[bought["data_venda"] >= start].groupby("id_cliente")
    last = bought.groupby("id_cliente")["data_venda"].max()
    net = lines[lines["data_venda"] >= start].groupby("id_cliente")["valor"].sum()
    customers = recent["id_venda"].nunique().to_frame("frequencia")
    customers["recencia_dias"] = (end - last).dt.days
    customers["valor"] = net.clip(lower=0)
    return customers


def _shares(window):
    spent = window.pivot_table(
        index="id_cliente", columns="categoria_produto", values="valor", aggfunc="sum"
    )
    spent = spent.fillna(0).clip(lower=0)
    total = spent.sum(axis=1)
    return spent[total > 0].div(total[total > 0], axis=0)


def _scaled(customers):
    import numpy as np
    from sklearn.preprocessing import StandardScaler

    rows = customers[["recencia_dias", "frequencia", "valor"]].to_numpy(float)
    rows[:, 1:] = np.log1p(rows[:, 1:])
    return StandardScaler().fit_transform(rows)


def _cluster(X):
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    best = (-2.0, None, 0)
    for k in KS:
        labels = KMeans(k, n_init=10, random_state=SEED).fit_predict(X)
        size = min(10_000, len(X))
        score = silhouette_score(X, labels, sample_size=size, random_state=SEED)
        best = max(best, (score, labels, k), key=lambda found: found[0])
    return best[1], best[2]
