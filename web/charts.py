"""Charts as SVG, drawn in this process: no script, in the reader's colours; the figures stand in a table beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

Theme = Literal["light", "dark"]
Width = Literal["wide", "narrow"]

FONT = "system-ui, -apple-system, Segoe UI, Roboto, Noto Sans, Liberation Sans, Arial, sans-serif"
KEPT_CHARTS = 128


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme; they are those of `static/css/waymark.css`."""

    accent: str
    text: str
    quiet: str
    grid: str


PALETTES: dict[Theme, Palette] = {
    "light": Palette(accent="#0b5d63", text="#1b2526", quiet="#55646a", grid="#d3dbdc"),
    "dark": Palette(accent="#62c4c7", text="#dde5e6", quiet="#a3b3b6", grid="#2e3b3f"),
}
# A phone has room for the month and day only; the table has the whole date.
_LABELS: dict[Width, str] = {"wide": "datum.value", "narrow": "slice(datum.value, 5)"}
SIZES: dict[Width, tuple[int, int]] = {"wide": (1080, 220), "narrow": (340, 200)}


@dataclass(frozen=True, slots=True)
class Series:
    """One number for each UTC day (`2023-06-20`), zero-based; `unit` names the axis."""

    title: str
    unit: str
    points: tuple[tuple[str, int], ...]

    @property
    def digest(self) -> str:
        """Names the content: a chart with the same digest looks the same."""
        named = [self.title, self.unit, self.points]
        return hashlib.sha256(json.dumps(named).encode()).hexdigest()[:12]


@lru_cache(maxsize=KEPT_CHARTS)
def day_chart(series: Series, theme: Theme, width: Width) -> bytes:
    """Bars, one a day, as SVG."""
    import altair
    import vl_convert

    size = SIZES[width]
    data = altair.Data(values=[{"day": day, "value": value} for day, value in series.points])  # type: ignore[no-untyped-call]
    steps = _steps(max((value for _, value in series.points), default=0))
    ticks = _ticks([day for day, _ in series.points], 12 if width == "wide" else 5)
    chart = (
        altair.Chart(data)
        .mark_bar()
        .encode(
            x=altair.X(
                "day:O", title="Day (UTC)", axis=altair.Axis(values=ticks, labelAngle=0, labelExpr=_LABELS[width])
            ),
            y=altair.Y(
                "value:Q",
                title=series.unit,
                scale=altair.Scale(domain=[0, steps[-1]], nice=False),
                axis=altair.Axis(values=steps, format=",d"),
            ),
        )
        .properties(width=size[0], height=size[1], background="transparent")
        .configure(**_config(PALETTES[theme]))
    )
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg.encode()


def _ticks(days: Sequence[str], most: int) -> list[str]:
    step = max(1, -(-len(days) // most))
    return list(days[::step])


def _steps(most: int) -> list[int]:
    """Round numbers from 0 to at least `most`, four to six of them, whole ones only."""
    rough = max(1, -(-most // 4))
    power = 10 ** (len(str(rough)) - 1)
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return list(range(0, max(1, -(-most // step)) * step + 1, step))


def _config(palette: Palette) -> dict[str, Any]:
    axis = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": palette.quiet,
        "titleColor": palette.quiet,
        "gridColor": palette.grid,
        "domainColor": palette.grid,
        "tickColor": palette.grid,
        "titlePadding": 8,
    }
    return {
        "aria": False,
        "axis": axis,
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "view": {"stroke": None},
        "bar": {"color": palette.accent},
        "font": FONT,
    }
