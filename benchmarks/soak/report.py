"""A soak as a table in the terminal, a plot and a JSON file."""

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.soak.verdict import WARM_UP_SHARE, Judged, findings, judged, timeout_share, times
from benchmarks.soak.windows import Window

_INK, _RED, _GREY = "#2459a8", "#b42318", "#57606a"


def as_text(windows: Sequence[Window]) -> str:
    """Return a line a series, and the findings."""
    lines = [f"{'series':<18}{'middle':>12}{'growth':>12}{'z':>8}  "]
    for each in judged(windows):
        unit = f" {each.series.unit}" if each.series.unit else ""
        lines.append(
            f"{each.series.name:<18}{f'{each.middle:.4g}{unit}':>12}{f'{each.trend.growth:+.3g}{unit}':>12}"
            f"{each.trend.z:>8.1f}  {'GROWS' if each.grows else 'HIGH' if each.is_high else 'steady'}"
        )
    openings = windows[-1].view.circuit_openings
    calls, unanswered = (sum(getattr(window.answers, of) for window in windows) for of in ("calls", "unanswered"))
    lines.append(f"circuit opened {times(openings)}; of {calls:,} calls {unanswered:,} were refused or lost")
    lines.append(f"STORE_TIMEOUT in {timeout_share(windows):.4%} of all decisions")
    found = findings(windows)
    return "\n".join([*lines, f"FAILED: {'; '.join(found)}" if found else "steady"]) + "\n"


def write(windows: Sequence[Window], directory: Path, title: str) -> Path:
    """Write ``soak.png`` and ``soak.json`` to a directory, and return the path of the plot."""
    directory.mkdir(parents=True, exist_ok=True)
    rows = [
        {"at_s": round(window.at_s, 1)} | {each.series.name: each.series.value(window) for each in judged(windows)}
        for window in windows
    ]
    found = {"title": title, "findings": findings(windows), "windows": rows}
    (directory / "soak.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    figure = _plot(windows, title)
    figure.savefig(directory / "soak.png", dpi=110)
    return directory / "soak.png"


def _plot(windows: Sequence[Window], title: str) -> Figure:
    figure = Figure(figsize=(11, 7), layout="constrained")
    figure.suptitle(title)
    every = judged(windows)
    for axes, each in zip(figure.subplots(2, 3, sharex=True).flat, every, strict=True):
        _draw(axes, windows, each)
    return figure


def _draw(axes: Axes, windows: Sequence[Window], judged: Judged) -> None:
    values = [judged.series.value(window) for window in windows]
    axes.axvspan(0, windows[int(len(windows) * WARM_UP_SHARE)].at_s, color=_GREY, alpha=0.12, lw=0)
    axes.plot([window.at_s for window in windows], values, ".-", color=_RED if judged.grows else _INK, lw=1)
    unit = f", {judged.series.unit}" if judged.series.unit else ""
    axes.set_title(f"{judged.series.name}{unit}", fontsize=10)
    axes.set_xlabel("seconds", fontsize=8)
    axes.set_ylim(0, max([*values, 1e-9]) * 1.25)
    axes.grid(alpha=0.25)
    for opened in _opened_at(windows):
        axes.axvline(opened, color=_RED, lw=0.8, ls=":")


def _opened_at(windows: Sequence[Window]) -> list[float]:
    """Return when windows ended in which the circuit opened."""
    counts = [0, *(window.view.circuit_openings for window in windows)]
    return [
        window.at_s for window, before in zip(windows, counts, strict=False) if window.view.circuit_openings > before
    ]
