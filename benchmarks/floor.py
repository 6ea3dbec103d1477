"""What this machine can do at best, and the least time the core could take."""

from __future__ import annotations

import time

import numpy as np

#: Rows and columns of the products, and bytes of the copies: large enough for
#: the full rate, out of the cache.
SIZE = 1000
COPY_BYTES = 400_000_000
REPEATS = 4


def rates(watch) -> dict:
    """Measure products and copies: one thread in each of two workers.

    Returns
    -------
    dict
        `gflops_float32`, `gflops_float64` of matrix products and
        `copy_gb_per_second`, bytes read plus bytes written.
    """
    with watch:
        return {
            "gflops_float32": _gemm_rate(np.float32),
            "gflops_float64": _gemm_rate(np.float64),
            "copy_gb_per_second": _copy_rate(),
        }


def _gemm_rate(dtype) -> float:
    from segmentacao.blocks import WORKERS, parallel_map

    a = np.random.default_rng(0).random((SIZE, SIZE)).astype(dtype)

    def products(_):
        for _ in range(REPEATS):
            a @ a

    list(parallel_map(products, range(WORKERS)))  # warm
    started = time.perf_counter()
    list(parallel_map(products, range(WORKERS)))
    seconds = time.perf_counter() - started
    return WORKERS * REPEATS * 2 * SIZE**3 / seconds / 1e9


def _copy_rate() -> float:
    from segmentacao.blocks import WORKERS, parallel_map

    source = np.ones((WORKERS, COPY_BYTES // WORKERS // 8))
    target = np.ones_like(source)

    def copies(worker):
        for _ in range(REPEATS):
            np.copyto(target[worker], source[worker])

    started = time.perf_counter()
    list(parallel_map(copies, range(WORKERS)))
    return REPEATS * 2 * COPY_BYTES / (time.perf_counter() - started) / 1e9


def least_seconds(rate: dict, *, n: int, d: int, anchors: int, k_max: int) -> dict:
    """Time that no implementation of the same method undercuts.

    Every customer is compared once with every centre of every k, and every
    anchor with every customer (each pair once where all are anchors), at two
    operations per column and pair; the features are read once and the labels
    written once. Ten starts, Lloyd's iterations, roots and sums come on top.
    """
    centres = sum(range(2, k_max + 1))
    pairs = n * centres + (n * anchors if anchors < n else n * (n - 1) // 2)
    operations = 2.0 * d * pairs
    in_memory = n * (8 * d + k_max - 1)
    return {
        "pairs": pairs,
        "float64_seconds": operations / rate["gflops_float64"] / 1e9,
        "float32_seconds": operations / rate["gflops_float32"] / 1e9,
        "bytes_seconds": in_memory / rate["copy_gb_per_second"] / 1e9,
    }
