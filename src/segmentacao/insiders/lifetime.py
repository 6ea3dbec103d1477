"""Expected purchases and revenue by BG/NBD and Gamma-Gamma.

Fader, P., Hardie, B. and Lee, K. (2005), "Counting your customers" the easy
way: an alternative to the Pareto/NBD model; Fader, P. and Hardie, B. (2013),
The Gamma-Gamma model of monetary value. No kept library with these models
installs beside pandas 3, and both likelihoods are short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

#: Logarithms of parameters stay in this range: beyond it they stand for zero
#: or for no variation between customers.
LOG_RANGE = 12.0
#: Customers that a fit reads at most.
FIT_CUSTOMERS = 20_000


@dataclass(frozen=True)
class PurchaseModel:
    """Parameters of BG/NBD; times in the unit of the fit."""

    r: float
    alpha: float
    a: float
    b: float

    def expected_purchases(
        self, repeats: np.ndarray, last: np.ndarray, age: np.ndarray, horizon: float
    ) -> np.ndarray:
        """Expect purchases within the horizon after the day of observation.

        Parameters
        ----------
        repeats, last, age : ndarray of shape (n_customers,)
            Repeat purchases, time from the first to the last purchase and from
            the first purchase to the day of observation.
        horizon : float
            Time ahead, at least 0.

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        r, alpha, a, b = self.r, self.alpha, self.a, self.b
        if abs(a - 1) < 1e-6:  # the formula divides by a - 1; its limit exists
            a = 1 + 1e-6
        z = horizon / (alpha + age + horizon)
        # Euler's transformation of the published series has the same value, and
        # does not overflow for customers with hundreds of purchases; the
        # published one does not where nearly all customers leave at one rate
        with np.errstate(all="ignore"):
            third = a + b + repeats - 1
            short = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, third, z)
            power = r + repeats
            long = (1 - z) ** power * hyp2f1(power, b + repeats, third, z)
        left = np.where(np.isfinite(short), short, long)
        ahead = (1 - left) * third / (a - 1)
        return ahead * self.alive(repeats, last, age)

    def alive(
        self, repeats: np.ndarray, last: np.ndarray, age: np.ndarray
    ) -> np.ndarray:
        """Probability that the customer still buys, shape (n_customers,)."""
        x = np.maximum(repeats, 1)
        growth = (self.r + x) * np.log((self.alpha + age) / (self.alpha + last))
        odds = self.a / (self.b + x - 1) * np.exp(np.minimum(growth, 700))
        return 1 / (1 + np.where(repeats > 0, odds, 0))


@dataclass(frozen=True)
class SpendModel:
    """Parameters of Gamma-Gamma; money in the unit of the fit."""

    p: float
    q: float
    v: float

    def expected_spend(self, repeats: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Expect the value of a purchase.

        Parameters
        ----------
        repeats : ndarray of shape (n_customers,)
            Repeat purchases.
        mean : ndarray of shape (n_customers,)
            Their mean value; not read where there are none.

        Returns
        -------
        ndarray of shape (n_customers,)
            The customer's mean drawn towards that of all customers.
        """
        seen = self.p * repeats * np.where(repeats > 0, mean, 0)
        return self.p * (self.v + seen / self.p) / (self.p * repeats + self.q - 1)


def fit_purchases(
    repeats: np.ndarray, last: np.ndarray, age: np.ndarray
) -> PurchaseModel:
    """Fit BG/NBD by maximum likelihood.

    Parameters
    ----------
    repeats, last, age : ndarray of shape (n_customers,)
        As in `PurchaseModel.expected_purchases`.

    Returns
    -------
    PurchaseModel

    Raises
    ------
    ValueError
        No customer bought twice.
    """
    if not np.any(repeats > 0):
        raise ValueError("repeats: all 0, allowed is at least one repeat purchase")
    rows, weights = np.unique(
        np.column_stack((repeats, last, age)), axis=0, return_counts=True
    )
    x, t, T = rows.T
    scale = T.max()
    t, T = t / scale, T / scale

    def loss(logs):
        r, alpha, a, b = np.exp(logs)
        start = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        start += gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        bought = -(r + x) * np.log(alpha + T)
        left = np.log(a) - np.log(b + np.maximum(x, 1) - 1)
        left = np.where(x > 0, left - (r + x) * np.log(alpha + t), -np.inf)
        return -weights @ (start + np.logaddexp(bought, left)) / weights.sum()

    r, alpha, a, b = np.exp(_least(loss, np.log([0.5, 0.2, 0.8, 2.5])))
    return PurchaseModel(r, alpha * scale, a, b)


def fit_spend(repeats: np.ndarray, mean: np.ndarray) -> SpendModel:
    """Fit Gamma-Gamma by maximum likelihood on customers who bought again.

    Parameters
    ----------
    repeats, mean : ndarray of shape (n_customers,)
        Repeat purchases and their mean value; customers without are left out.

    Returns
    -------
    SpendModel

    Raises
    ------
    ValueError
        No customer has a repeat purchase with a value.
    """
    has = (repeats > 0) & (mean > 0)
    if not has.any():
        raise ValueError("mean: no repeat purchase has a value above 0")
    x, m = repeats[has].astype(float), mean[has].astype(float)
    scale = m.mean()
    m = m / scale

    def loss(logs):
        p, q, v = np.exp(logs)
        value = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        value += (p * x - 1) * np.log(m) + p * x * np.log(x)
        return -np.mean(value - (p * x + q) * np.log(x * m + v))

    p, q, v = np.exp(_least(loss, np.log([5.0, 4.0, 0.7])))
    # q at most 1 has no mean
    return SpendModel(p, max(q, 1 + 1e-6), v * scale)


def _least(loss, start) -> np.ndarray:
    options = {"bounds": [(-LOG_RANGE, LOG_RANGE)] * len(start)}
    with np.errstate(all="ignore"):
        rough = minimize(loss, start, method="L-BFGS-B", **options)
        fine = minimize(
            loss,
            rough.x,
            method="Nelder-Mead",
            options={"xatol": 1e-5, "fatol": 1e-10, "maxiter": 2000},
            **options,
        )
    return fine.x
