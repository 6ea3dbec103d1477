"""The spaces in which customers are compared.

Every space is a matrix with one row per customer. Distances in one say nothing
about distances in another, so quality is compared in `COMMON` only.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from segmentacao.transform import feature_columns, standardise

#: Recency, frequency and value, the features of the common space.
RFV = ("recencia_dias", "frequencia", "valor")
#: Features of behaviour; those the source cannot fill are left out.
BEHAVIOUR = (
    *RFV,
    "itens",
    "produtos_distintos",
    "ticket_medio",
    "cesta_media",
    "itens_unicos_medios",
    "devolucoes",
)
#: The space in which partitions of all spaces are compared.
COMMON = "rfv_log"
SPACES = ("rfv_log", "comportamento_minmax", "comportamento_log", "pca", "folhas")
#: Share of the variance that the components of `pca` explain together.
PCA_VARIANCE = 0.9
#: Shape of the forest behind `folhas`, and customers that it learns from.
TREES, DEPTH, LEAF_CUSTOMERS, FOREST_CUSTOMERS = 20, 4, 20, 20_000
#: Components of `folhas`.
LEAF_COMPONENTS = 5


def behaviour(table: pa.Table) -> dict[str, np.ndarray]:
    """Read the features that every customer has and that tell customers apart.

    Parameters
    ----------
    table : pyarrow.Table
        One row per customer; recency, frequency and value are required.

    Returns
    -------
    dict of str to ndarray of shape (n_customers,)
        In the order of `BEHAVIOUR`.
    """
    usable = [
        name
        for name in BEHAVIOUR
        if name in RFV
        or (name in table.column_names and not table.column(name).null_count)
    ]
    _, columns = feature_columns(table.select(usable))
    return {
        name: column
        for name, column in zip(usable, columns, strict=True)
        if name in RFV or column.min() < column.max()
    }


def build_space(
    features: dict[str, np.ndarray], space: str, *, random_state: int
) -> np.ndarray:
    """Build one space.

    Parameters
    ----------
    features : dict of str to ndarray of shape (n_customers,)
        From `behaviour`; recency in days, the others at least 0.
    space : str
        One of `SPACES`.
    random_state : int
        Seed of the forest behind `folhas`.

    Returns
    -------
    ndarray of shape (n_customers, n_columns)

    Raises
    ------
    ValueError
        An unknown space.
    """
    if space == "rfv_log":
        return _log_standardised({name: features[name] for name in RFV})
    if space == "comportamento_minmax":
        X = np.column_stack(list(features.values()))
        spread = np.ptp(X, axis=0)
        return (X - X.min(axis=0)) / np.where(spread > 0, spread, 1)
    if space == "comportamento_log":
        return _log_standardised(features)
    if space == "pca":
        return principal_components(_log_standardised(features), share=PCA_VARIANCE)
    if space == "folhas":
        return _leaves(features, random_state)
    raise ValueError(f"space: {space!r}, allowed is one of {SPACES}")


def _log_standardised(features) -> np.ndarray:
    """Recency as it is, the logarithm of everything else, mean 0 and deviation 1."""
    columns = [
        values if name == "recencia_dias" else np.log1p(values)
        for name, values in features.items()
    ]
    return standardise(np.column_stack(columns))[0]


def principal_components(
    X: np.ndarray, *, share: float = 1.0, at_most: int | None = None
) -> np.ndarray:
    """Project rows on their principal components (Pearson 1901).

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    share : float, optional
        Share of the variance to keep, 0 to 1.
    at_most : int, optional
        Most components to keep.

    Returns
    -------
    ndarray of shape (n_rows, n_components)
        Components by falling variance; the largest coordinate of each axis is
        positive, so that signs do not depend on the solver.
    """
    centred = X - X.mean(axis=0)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    variance, axes = variance[::-1].clip(min=0), axes[:, ::-1]
    total = variance.sum() or 1.0
    count = int(np.searchsorted(np.cumsum(variance) / total, share - 1e-9)) + 1
    count = min(count, len(variance), at_most or len(variance))
    axes = axes[:, :count]
    largest = np.argmax(np.abs(axes), axis=0)
    return centred @ (axes * np.sign(axes[largest, np.arange(count)]))


def _leaves(features, random_state) -> np.ndarray:
    """Place customers by the leaves of a forest that predicts the logarithm of value.

    Supervised by revenue, so its groups differ in revenue by construction. The
    one-hot code of the leaves does not depend on how leaves are numbered.
    """
    from sklearn.ensemble import RandomForestRegressor

    inputs = np.column_stack([v for name, v in features.items() if name != "valor"])
    forest = RandomForestRegressor(
        TREES,
        max_depth=DEPTH,
        min_samples_leaf=min(LEAF_CUSTOMERS, max(1, len(inputs) // 10)),
        max_samples=min(FOREST_CUSTOMERS, len(inputs)),
        random_state=random_state,
        n_jobs=1,
    )
    forest.fit(inputs, np.log1p(features["valor"]))
    leaves = forest.apply(inputs)
    one_hot = [leaves[:, [tree]] == np.unique(leaves[:, tree]) for tree in range(TREES)]
    code = np.concatenate(one_hot, axis=1).astype(float) / np.sqrt(TREES)
    # rounding makes customers of the same leaves equal to the last bit
    return principal_components(code, at_most=LEAF_COMPONENTS).round(9)
