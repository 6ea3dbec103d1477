"""Made-up customers for the core: the features that a step would see.

Two kinds: `rfv` (recency, frequency, value; heavy tailed, with the many equal
recencies and frequencies that real customers have) and `shares` (spending over
20 categories; sparse, because nobody buys everything). Written to disk in both
layouts, so that neither side of a comparison pays for turning the other's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

WINDOW_DAYS = 180
CATEGORIES = 20
CHUNK = 500_000


@dataclass(frozen=True)
class Step:
    """How a kind of customers is modelled, the same for every contestant."""

    names: list[str]
    transforms: dict[str, str]
    standardize: bool
    shares: bool


STEPS = {
    "rfv": Step(
        names=["recencia_dias", "frequencia", "valor"],
        transforms={"frequencia": "log1p", "valor": "log1p"},
        standardize=True,
        shares=False,
    ),
    "shares": Step(
        names=[f"pct_{j:02d}" for j in range(CATEGORIES)],
        transforms={},
        standardize=False,
        shares=True,
    ),
}


def rfv(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw recency, frequency and value, shape (n, 3)."""
    kind = rng.choice(4, n, p=[0.40, 0.30, 0.22, 0.08])
    rate = np.array([0.3, 2.0, 6.0, 20.0])[kind] * rng.gamma(2.0, 0.5, n)
    frequency = 1.0 + rng.poisson(rate)
    # the last of `frequency` purchases that fall anywhere in the window
    last = rng.random(n) ** (1 / (frequency * np.array([0.3, 1, 1, 1])[kind]))
    recency = np.maximum(1, np.ceil(WINDOW_DAYS * (1 - last)))
    basket = np.array([3.6, 4.0, 3.8, 4.9])[kind] + 0.8 * rng.standard_normal(n)
    return np.column_stack(
        (recency, frequency, np.round(frequency * np.exp(basket), 2))
    )


def shares(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw shares of spending, shape (n, 20), rows summing to 1."""
    taste = rng.choice(7, n, p=[0.30, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05])
    alpha = np.full((7, CATEGORIES), 0.10)
    for t in range(1, 7):  # taste 0 is none
        alpha[t, 3 * t - 1], alpha[t, 3 * t] = 3.0, 1.0
    spending = rng.standard_gamma(alpha[taste])
    spending /= spending.sum(axis=1, keepdims=True)
    spending[spending < 0.02] = 0  # too little for one product
    return spending / spending.sum(axis=1, keepdims=True)


def write(watch, *, folder: str, kind: str, n: int, seed: int = 0) -> dict:
    """Write `n` customers as rows.npy and columns.npy."""
    draw = {"rfv": rfv, "shares": shares}[kind]
    width = len(STEPS[kind].names)
    with watch:
        Path(folder).mkdir(parents=True, exist_ok=True)
        by_row = _create(folder, "rows.npy", (n, width))
        by_column = _create(folder, "columns.npy", (width, n))
        for number, start in enumerate(range(0, n, CHUNK)):
            rng = np.random.default_rng([seed, number])
            rows = draw(min(CHUNK, n - start), rng)
            by_row[start : start + len(rows)] = rows
            by_column[:, start : start + len(rows)] = rows.T
    return {}


def _create(folder, name, shape):
    return np.lib.format.open_memmap(
        Path(folder, name), mode="w+", dtype=np.float64, shape=shape
    )


def as_rows(folder: str) -> np.ndarray:
    """Read the customers as an array of shape (n, d)."""
    return np.load(Path(folder, "rows.npy"))


def as_columns(folder: str) -> np.ndarray:
    """Read the customers as an array of shape (d, n)."""
    return np.load(Path(folder, "columns.npy"))


def model_space(rows: np.ndarray, kind: str) -> np.ndarray:
    """Transform rows as the step does; shares are clustered as they are."""
    from sklearn.preprocessing import StandardScaler

    step = STEPS[kind]
    for j, name in enumerate(step.names):
        if step.transforms.get(name) == "log1p":
            rows[:, j] = np.log1p(rows[:, j])
    return StandardScaler(copy=False).fit_transform(rows) if step.standardize else rows
