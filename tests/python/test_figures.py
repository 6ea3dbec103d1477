"""Figures of the clustering choice: drawn, readable, without global state."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("matplotlib")
image = pytest.importorskip("PIL.Image")

from segmentacao import figures  # noqa: E402

LABELS = ["4-Risco churn", "1-VIPs/Alta Receita", "10-Tech $ Lovers $", "2-Livros&Food"]


def measures(*, chosen: int | None = 4) -> pd.DataFrame:
    k = np.arange(2, 9)
    return pd.DataFrame(
        {
            "k": k,
            "silhueta": 0.5 - 0.03 * np.abs(k - 4),
            "silhueta_erro": np.where(k == 5, np.nan, 0.004),
            "wss": 9000.0 / k,
            "is_admissivel": (k > 2) & (k < 8),
            "is_escolhido": k == chosen,
        }
    )


def heatmap(n_variables: int = 3):
    spread = np.arange(1.0, n_variables + 1)
    means = np.outer([1.0, 2.0, 3.0, 4.0], spread)
    return figures.profile_heatmap(
        means,
        means.mean(axis=0),
        np.where(spread == 1, 0.0, 1.0),
        labels=LABELS,
        variables=[f"variavel_{j}" for j in range(n_variables)],
        passo="rfv",
    )


def drawings():
    return [
        figures.silhouette_by_k(measures(), passo="rfv"),
        figures.wss_by_k(measures(), passo="rfv"),
        heatmap(),
        figures.cluster_sizes([40, 10, 5, 45], labels=LABELS, passo="rfv"),
    ]


def texts(figure) -> list[str]:
    from matplotlib.text import Text

    figures.to_png(figure)
    return [item.get_text() for item in figure.findobj(Text)]


def test_every_figure_is_a_picture_with_something_on_it():
    for figure in drawings():
        picture = image.open(io.BytesIO(figures.to_png(figure))).convert("RGB")
        assert picture.width >= 400 and picture.height >= 250
        assert len(picture.getcolors(maxcolors=1 << 24)) > 20


def test_choice_and_admissible_k_are_told_apart_by_shape_and_position():
    axes = figures.silhouette_by_k(measures(), passo="rfv").axes[0]
    points = {
        group.get_label(): group.get_offsets()[:, 0].astype(int).tolist()
        for group in axes.collections
        if group.get_label() in ("admissível", "não admissível", "escolhido")
    }
    assert points == {
        "não admissível": [2, 8],
        "admissível": [3, 5, 6, 7],
        "escolhido": [4],
    }


def test_without_a_choice_the_figure_is_drawn_without_the_star():
    figure = figures.wss_by_k(measures(chosen=None), passo="rfv")
    assert "escolhido" not in texts(figure)


def test_rows_are_sorted_by_the_number_in_front_not_by_its_first_digit():
    shown = [label.get_text() for label in heatmap().axes[0].get_yticklabels()]
    assert shown == [LABELS[1], LABELS[3], LABELS[0], LABELS[2]]


def test_heatmap_rows_carry_their_own_means():
    axes = heatmap().axes[0]
    first_column = [t.get_text() for t in axes.texts if t.get_position()[0] == 0]
    assert first_column == ["2,00", "4,00", "1,00", "3,00"]


def test_heatmap_shows_distance_in_standard_deviations_and_zero_without_spread():
    shown = np.asarray(heatmap().axes[0].images[0].get_array())
    assert shown[:, 0].tolist() == [0, 0, 0, 0]
    assert shown[:, 1].tolist() == [-1, 3, -3, 1]


def test_heatmap_keeps_the_variables_that_vary_most():
    axes = heatmap(40).axes[0]
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert shown == [f"variavel_{j}" for j in range(16, 40)]
    assert "24 de 40" in axes.get_title(loc="left")


def test_a_dollar_sign_in_a_label_is_no_formula():
    assert LABELS[2] in texts(heatmap())
    ticks = heatmap().axes[0].get_yticklabels()
    assert not any(label.get_parse_math() for label in ticks)


def test_sizes_are_written_the_brazilian_way():
    figure = figures.cluster_sizes(
        [1234567, 10, 5, 45], labels=LABELS, passo="categoria"
    )
    assert any(text.startswith("1.234.567  (100,0 %)") for text in texts(figure))


def test_same_input_gives_same_bytes_also_in_threads():
    expected = [figures.to_png(figure) for figure in drawings()]
    with ThreadPoolExecutor(4) as pool:
        results = list(
            pool.map(lambda _: [figures.to_png(f) for f in drawings()], range(4))
        )
    assert all(result == expected for result in results)
