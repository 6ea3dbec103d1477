"""Time and memory over size, drawn from the figures of a run."""

from __future__ import annotations

from pathlib import Path

PANELS = {
    "core_rfv": ("core", "rfv", "customers"),
    "core_shares": ("core", "shares", "customers"),
    "build": ("build", None, "sale lines"),
    "scoring": ("scoring", None, "customers"),
}
WAYS = {
    "core": ["ours", "notebook", "careful, n_init=auto", "careful, n_init=10", "floor"],
    "build": ["dbt build", "by hand", "pandas"],
    "scoring": ["compiled SQL"],
}


def draw(results: list[dict], folder: Path) -> list[Path]:
    """Draw one picture for each part that has figures; return their files."""
    import matplotlib

    matplotlib.use("Agg")
    written = []
    for name, (part, case, unit) in PANELS.items():
        runs = [
            run
            for run in results
            if run["part"] == part and (case is None or run["case"] == case)
        ]
        curves = {
            way: sorted(
                (run for run in runs if run["way"] == way), key=lambda run: run["size"]
            )
            for way in WAYS[part]
        }
        curves = {way: found for way, found in curves.items() if found}
        if curves:
            written.append(_picture(name, curves, unit, folder))
    return written


def _picture(name, curves, unit, folder) -> Path:
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, field, label in (
        (axes[0], "wall", "seconds"),
        (axes[1], "peak_mb", "peak memory, MB"),
    ):
        for way, runs in curves.items():
            _curve(axis, way, [run for run in runs if run[field]], field)
        axis.set(xscale="log", yscale="log", xlabel=unit, ylabel=label)
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize="small")
    figure.suptitle(name.replace("_", ", "))
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _curve(axis, way, runs, field):
    """Draw measured points filled, extrapolated ones hollow."""
    if not runs:
        return
    sizes, values = [run["size"] for run in runs], [run[field] for run in runs]
    (drawn,) = axis.plot(sizes, values, lw=1, label=way)
    for run in runs:
        face = "none" if run["extrapolated"] else drawn.get_color()
        axis.plot(run["size"], run[field], "o", color=drawn.get_color(), mfc=face)
