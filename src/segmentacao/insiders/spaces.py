"""The spaces in which customers are compared.

Every space is a matrix with one row per customer. Distances in one say nothing
about distances in another, so quality is compared in `COMMON` only.
"""

from __future__ import annotations

import warnings

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
#: A space that takes minutes, asked for by a setting, and its most customers.
UMAP, UMAP_MAX = "folhas_umap", 20_000
#: Spaces made to predict value: that groups are clear in them proves nothing.
SUPERVISED = ("folhas", UMAP)
#: Share of the variance that the components of `pca` explain together.
PCA_VARIANCE = 0.9
#: Shape of the forest behind `folhas`, and customers that it learns from.
TREES, DEPTH, LEAF_CUSTOMERS, FOREST_CUSTOMERS = 20, 4, 20, 20_000
#: Components of `folhas`.
LEAF_COMPONENTS = 5
#: Neighbours of a customer in `folhas_umap`, and the reach of its start.
NEIGHBOURS, UMAP_REACH = 15, 10


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
        One of `SPACES`, or `UMAP`.
    random_state : int
        Seed of the forest behind `folhas` and of UMAP.

    Returns
    -------
    ndarray of shape (n_customers, n_columns)

    Raises
    ------
    ValueError
        An unknown space; UMAP without its extra or with more than `UMAP_MAX`
        customers.
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
        return _leaf_components(_leaves(features, random_state), LEAF_COMPONENTS)
    if space == UMAP:
        return _umap(_leaves(features, random_state), random_state)
    raise ValueError(f"space: {space!r}, allowed is one of {(*SPACES, UMAP)}")


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
    """Leaf of every customer in each tree that predicts the logarithm of value.

    Supervised by revenue, so its groups differ in revenue by construction.
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
    return forest.apply(inputs)


def _leaf_components(leaves, at_most) -> np.ndarray:
    """Principal components of the leaves.

    The one-hot code of the leaves does not depend on how leaves are numbered.
    """
    one_hot = [column[:, None] == np.unique(column) for column in leaves.T]
    code = np.concatenate(one_hot, axis=1).astype(float) / np.sqrt(len(leaves.T))
    # rounding makes customers of the same leaves equal to the last bit
    return principal_components(code, at_most=at_most).round(9)


def _umap(leaves, random_state) -> np.ndarray:
    """Embed the leaves in two dimensions (McInnes, Healy and Melville 2018, UMAP).

    The distance is the share of trees in which two customers fall into
    different leaves. Customers of the same leaves are embedded once. The
    start is the two main components of the leaves, which need no chance.
    """
    if len(leaves) > UMAP_MAX:
        raise ValueError(
            f"space: {UMAP!r} with {len(leaves)} customers, allowed is at most "
            f"{UMAP_MAX}"
        )
    try:
        from umap import UMAP as Embedding
    except ImportError as error:
        raise ValueError(
            f"space: {UMAP!r} needs the extra umap, pip install umap-learn"
        ) from error
    distinct, first, back = np.unique(
        leaves, axis=0, return_index=True, return_inverse=True
    )
    start = _leaf_components(leaves, 2)[first]
    if len(distinct) <= NEIGHBOURS:  # too few to have a neighbourhood
        return start[back.ravel()]
    embedding = Embedding(
        n_neighbors=NEIGHBOURS,
        metric="hamming",
        init=start / np.abs(start).max() * UMAP_REACH,
        random_state=random_state,
        n_jobs=1,
    )
    with warnings.catch_warnings():
        # that the embedding cannot be inverted; nobody asks it to be
        warnings.filterwarnings("ignore", message="gradient function")
        placed = embedding.fit_transform(distinct)
    return placed[back.ravel()].astype(float)
