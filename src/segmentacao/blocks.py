"""Work cut into blocks of rows, on a fixed number of threads.

Results depend neither on the machine's cores nor on how many threads a linear
algebra library would take: rows are cut by their number only, and each worker
computes with one thread.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits

#: Rows of a block of work; its buffers stay in the processor's cache.
BLOCK_ROWS = 4096
#: Rows of a block of a single column.
COLUMN_BLOCK = 16_384
#: Worker threads; a constant, so that results do not depend on the machine.
WORKERS = 2
#: Below this many rows starting threads costs more than it saves.
PARALLEL_ROWS = 20_000
#: Seconds between looks at the number of BLAS threads.
HOLD_SECONDS = 0.01


class _SingleBlasThread:
    """Hold BLAS at one thread while at least one caller is inside.

    The number of BLAS threads belongs to the process. If each caller restored
    what it found, two overlapping callers would restore each other's setting;
    so the limit is held from the first one in to the last one out. It is held
    by a thread of its own, because threadpoolctl ignores a limit set or lifted
    by a thread other than the one in control.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self):
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                limited, self._leave = threading.Event(), threading.Event()
                self._holder = threading.Thread(
                    target=_hold_blas, args=(limited, self._leave), daemon=True
                )
                self._holder.start()
                limited.wait()

    def __exit__(self, *error):
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._leave.set()
                self._holder.join()


def _hold_blas(limited, leave):
    controller = ThreadpoolController().select(user_api="blas")
    limiter = _limit_blas(controller)
    limited.set()
    while not leave.wait(HOLD_SECONDS):
        # Somebody else held a limit of one thread, and has lifted it.
        if not _is_single(controller):
            limiter = _limit_blas(controller)
    if _is_single(controller):
        limiter.restore_original_limits()


def _is_single(controller):
    return all(lib.num_threads == 1 for lib in controller.lib_controllers)


def _limit_blas(controller):
    limiter = controller.limit(limits=1)
    if not _is_single(controller):
        # Another thread is in control and wants more threads: take over.
        for lib in controller.lib_controllers:
            if hasattr(lib, "clear_controlling_thread"):
                lib.clear_controlling_thread(force=True)
        limiter = controller.limit(limits=1)
    return limiter


single_blas_thread = _SingleBlasThread()


def parallel_map(function: Callable, items: Iterable) -> Iterable:
    """Yield `function(item)` in the order of the items, two at a time.

    Each call runs with one BLAS and one OpenMP thread: scikit-learn's labels
    differ between one and two OpenMP threads. The OpenMP setting belongs to
    the thread that makes it, hence the limit at the start of each worker; it
    ends with the worker.
    """
    with (
        single_blas_thread,
        ThreadPoolExecutor(WORKERS, initializer=_limit_openmp) as pool,
    ):
        yield from pool.map(function, items)


def _limit_openmp():
    threadpool_limits(limits=1, user_api="openmp")


def row_ranges(n_rows: int, *, parallel: bool = True) -> list[range]:
    """Cut rows into one range per worker, or one in all when they are few.

    The cut depends on `n_rows` only, so that sums over ranges do not depend on
    which worker finishes first.
    """
    parts = WORKERS if parallel and n_rows > PARALLEL_ROWS else 1
    edges = [n_rows * part // parts for part in range(parts + 1)]
    return [range(start, stop) for start, stop in zip(edges, edges[1:], strict=False)]


def blocks(rows: range, size: int = BLOCK_ROWS) -> Iterable[slice]:
    """Cut a range of rows into slices of at most `size`."""
    for start in range(rows.start, rows.stop, size):
        yield slice(start, min(start + size, rows.stop))


def block_size(n_columns: int) -> int:
    """Rows of a block of which whole copies are made.

    The allocator takes arrays above 128 kB from the system, page by page, each
    time: slower than the arithmetic.
    """
    return max(64, 16_000 // n_columns)


def over_ranges(function: Callable, n_rows: int, parallel: bool) -> list:
    """Return `function(rows)` for each range that the rows are cut into."""
    ranges = row_ranges(n_rows, parallel=parallel)
    if len(ranges) == 1:
        return [function(ranges[0])]
    return list(parallel_map(function, ranges))


def release_memory() -> None:
    """Hand freed memory back to the system.

    The C library of Linux keeps freed columns for the threads that freed them,
    several hundred MB at millions of rows.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # not in musl
        if trim is not None:
            trim(0)


def weighted_origin(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Column means, the point from which products of rows lose fewest digits."""
    weights = weights.astype(float)
    size = block_size(X.shape[1])
    sums = sum(weights[b] @ X[b] for b in blocks(range(len(X)), size))
    return sums / weights.sum()
