"""Figures that explain a clustering step: which k, and what its clusters are.

Every function returns a ``matplotlib.figure.Figure`` built with the object API only.
``pyplot`` keeps a global list of figures and a current one, which two threads (dbt
runs models in threads) would share. Matplotlib is imported inside the functions,
because it belongs to an optional extra.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart with every common form of colour blindness.
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#767676"
MAX_HEATMAP_COLUMNS = 24
MAX_LABEL_LENGTH = 44
DPI = 120


def silhouette_by_k(measures: pd.DataFrame, *, passo: str) -> Figure:
    """Draw the silhouette of every candidate k with its error and the choice.

    Parameters
    ----------
    measures : DataFrame
        One row per k: ``k``, ``silhueta`` (-1 to 1), ``silhueta_erro`` (standard
        error, may be null), ``is_admissivel``, ``is_escolhido``.
    passo : str
        Name of the clustering step, for the title.

    Returns
    -------
    Figure
    """
    figure, axes = _canvas(7.2, 4.2)
    k, silhouette = measures["k"].to_numpy(), measures["silhueta"].to_numpy(float)
    error = np.nan_to_num(measures["silhueta_erro"].to_numpy(float))
    axes.plot(k, silhouette, color=GREY, linewidth=1, zorder=1)
    axes.errorbar(
        k, silhouette, 2 * error, fmt="none", ecolor=GREY, capsize=3, zorder=1
    )
    _mark_candidates(axes, measures, "silhueta")
    axes.set_ylabel("silhueta (± 2 erros-padrão)")
    _finish_k_axis(axes, measures, f"Silhueta por k: passo {passo}")
    return figure


def wss_by_k(measures: pd.DataFrame, *, passo: str) -> Figure:
    """Draw the within-cluster sum of squares by k (the elbow) and the choice.

    Parameters
    ----------
    measures : DataFrame
        One row per k: ``k``, ``wss`` (model space, 0 or more), ``is_admissivel``,
        ``is_escolhido``.
    passo : str
        Name of the clustering step, for the title.

    Returns
    -------
    Figure
    """
    figure, axes = _canvas(7.2, 4.2)
    axes.plot(measures["k"], measures["wss"], color=GREY, linewidth=1, zorder=1)
    _mark_candidates(axes, measures, "wss")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("soma de quadrados interna")
    _finish_k_axis(axes, measures, f"Cotovelo (WSS) por k: passo {passo}")
    return figure


def profile_heatmap(
    means: np.ndarray,
    base_mean: np.ndarray,
    base_std: np.ndarray,
    *,
    labels: Sequence[str],
    variables: Sequence[str],
    passo: str,
) -> Figure:
    """Draw how far each cluster's mean lies from the base, variable by variable.

    Colour is the distance in standard deviations of the base, which is comparable
    between variables; the number in a cell is the mean in its own unit.

    Parameters
    ----------
    means : ndarray of shape (n_clusters, n_variables)
        Cluster means in raw units.
    base_mean, base_std : ndarray of shape (n_variables,)
        Mean and standard deviation over all customers, raw units.
    labels : sequence of str
        One per cluster; sorted by their leading number for reading.
    variables : sequence of str
        One per column. Only the ``MAX_HEATMAP_COLUMNS`` that vary most are drawn.
    passo : str
        Name of the clustering step, for the title.

    Returns
    -------
    Figure
    """
    order = sorted(range(len(labels)), key=lambda i: _natural_key(labels[i]))
    distance = _standard_distance(means, base_mean, base_std)[order]
    shown = _most_distinct(distance)
    distance, means = distance[:, shown], np.asarray(means, float)[order][:, shown]
    names = [variables[j] for j in shown]
    figure, axes = _canvas(3.4 + 0.78 * len(names), 1.9 + 0.46 * len(order))
    limit = float(np.clip(np.abs(distance).max(initial=0), 1.0, 3.0))
    image = axes.imshow(distance, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    _annotate_cells(axes, distance / limit, means, names)
    _ticks(axes.xaxis, [_short(name) for name in names], rotation=40)
    _ticks(axes.yaxis, [_short(labels[i]) for i in order])
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label("desvios-padrão em relação à base", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.ax.yaxis.set_major_formatter(lambda value, _: _number(value, 1))
    part = ""
    if len(shown) < len(variables):
        part = f"; {len(shown)} de {len(variables)} variáveis"
    _title(axes, f"Perfil dos clusters: passo {passo} (número = média{part})")
    return figure


def cluster_sizes(sizes: Sequence[int], *, labels: Sequence[str], passo: str) -> Figure:
    """Draw how many customers each cluster holds, with its share.

    Parameters
    ----------
    sizes : sequence of int
        Customers per cluster.
    labels : sequence of str
        One per cluster.
    passo : str
        Name of the clustering step, for the title.

    Returns
    -------
    Figure
    """
    order = sorted(range(len(labels)), key=lambda i: _natural_key(labels[i]))
    counts = np.asarray([sizes[i] for i in order], dtype=float)
    total = max(counts.sum(), 1.0)
    figure, axes = _canvas(7.2, 1.6 + 0.4 * len(order))
    bars = axes.barh(range(len(order)), counts, color=BLUE, height=0.66)
    texts = [f"{_number(c, 0)}  ({_number(100 * c / total, 1)} %)" for c in counts]
    axes.bar_label(bars, labels=texts, padding=4, fontsize=8)
    _ticks(axes.yaxis, [_short(labels[i]) for i in order])
    axes.invert_yaxis()
    axes.margins(x=0.22)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda value, _: _number(value, 0))
    axes.set_xlabel("clientes", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right", "left"]].set_visible(False)
    _title(axes, f"Tamanho dos clusters: passo {passo}")
    return figure


def to_png(figure: Figure) -> bytes:
    """Render a figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    # The canvas draws once; savefig would draw a second time to no gain.
    figure.canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white"
    )
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _mark_candidates(axes: Axes, measures: pd.DataFrame, column: str) -> None:
    """Draw the three kinds of k with shapes as well as colours."""
    chosen = measures["is_escolhido"].to_numpy(bool)
    admissible = measures["is_admissivel"].to_numpy(bool)
    kinds = [
        (~admissible & ~chosen, "o", 46, "white", GREY, "não admissível"),
        (admissible & ~chosen, "o", 46, BLUE, BLUE, "admissível"),
        (chosen, "*", 240, VERMILION, "black", "escolhido"),
    ]
    for mask, marker, size, face, edge, label in kinds:
        part = measures.loc[mask]
        if len(part):
            axes.scatter(
                part["k"],
                part[column],
                s=size,
                marker=marker,
                facecolor=face,
                edgecolor=edge,
                label=label,
                zorder=3,
            )
    for k in measures.loc[chosen, "k"]:
        axes.axvline(k, color=VERMILION, linewidth=1, linestyle=":", zorder=0)


def _finish_k_axis(axes: Axes, measures: pd.DataFrame, title: str) -> None:
    chosen = measures.loc[measures["is_escolhido"].to_numpy(bool), "k"]
    suffix = f" (escolhido: k = {int(chosen.iloc[0])})" if len(chosen) else ""
    axes.set_xticks([int(k) for k in measures["k"]])
    axes.set_xlabel("k (número de clusters)", fontsize=9)
    axes.yaxis.label.set_size(9)
    axes.yaxis.set_major_formatter(_tick_text(axes))
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color="#e3e3e3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False)
    _title(axes, title + suffix)


def _tick_text(axes: Axes):
    low, high = axes.get_ylim()
    decimals = int(np.clip(1 - np.floor(np.log10(max(high - low, 1e-9))), 0, 6))
    return lambda value, _: _number(value, decimals)


def _annotate_cells(
    axes: Axes, shade: np.ndarray, means: np.ndarray, names: Sequence[str]
) -> None:
    for (i, j), value in np.ndenumerate(means):
        axes.text(
            j,
            i,
            _cell(value, is_share=names[j].startswith("pct_")),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if abs(shade[i, j]) > 0.62 else "black",
        )


def _ticks(axis, texts: Sequence[str], *, rotation: float = 0) -> None:
    """Set tick labels as plain text: a ``$`` in a label is no formula."""
    axis.set_ticks(range(len(texts)), texts, fontsize=8)
    axis.set_tick_params(length=0)
    for label in axis.get_ticklabels():
        label.set_parse_math(False)
        if rotation:
            label.set(rotation=rotation, ha="right", rotation_mode="anchor")


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=10, fontweight="bold", parse_math=False)


def _standard_distance(
    means: np.ndarray, base_mean: np.ndarray, base_std: np.ndarray
) -> np.ndarray:
    spread = np.asarray(base_std, float)
    known = np.isfinite(spread) & (spread > 0)
    distance = (np.asarray(means, float) - base_mean) / np.where(known, spread, 1.0)
    return np.nan_to_num(np.where(known, distance, 0.0))


def _most_distinct(distance: np.ndarray) -> np.ndarray:
    """Return the columns to draw, in their order, when there are too many."""
    strength = np.abs(distance).max(axis=0, initial=0)
    best = np.argsort(-strength, kind="stable")[:MAX_HEATMAP_COLUMNS]
    return np.sort(best)


def _natural_key(label: str) -> tuple[int, str]:
    number = re.match(r"\s*(\d+)", label)
    return (int(number.group(1)) if number else 10**9, label)


def _short(text: str) -> str:
    if len(text) <= MAX_LABEL_LENGTH:
        return text
    return text[: MAX_LABEL_LENGTH - 1] + "…"


def _cell(value: float, *, is_share: bool) -> str:
    if not np.isfinite(value):
        return "–"
    if is_share:
        return f"{_number(100 * value, 0)} %"
    return _number(value, 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2)


def _number(value: float, decimals: int) -> str:
    """Write a number the Brazilian way: 1.234,5."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,"))
