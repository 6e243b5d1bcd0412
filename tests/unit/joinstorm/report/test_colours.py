"""The colours of the report: lines of one chart stay apart for readers who are colour-blind."""

import itertools
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray

from dashboards import palette
from joinstorm.report.curves import KINDS

CHARTS: Final = {
    "rooms": [*palette.ROOMS.values(), palette.WAITING],
    "events": [*KINDS.values()],
    "subjects": [*palette.SUBJECTS.values()],
    "stances": [*palette.STANCES.values()],
    "announcement": [palette.REACTION, palette.BASELINE],
}
# Machado, Oliveira, Fernandes (2009), severity 1: what a reader without one kind of cones sees, in linear RGB.
EYES: Final = {
    "all colours": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ: Final = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE: Final = TO_XYZ.sum(axis=1)
APART: Final = 10.0
"""Distance in CIE L*a*b*: several times what is just noticeable."""


def seen(colour: str, eyes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a colour in CIE L*a*b* as these eyes see it."""
    encoded = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    scaled = TO_XYZ @ np.clip(eyes @ linear, 0, 1) / WHITE
    x, y, z = np.where(scaled > 216 / 24389, np.cbrt(scaled), (24389 / 27 * scaled + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("chart", CHARTS)
def test_lines_of_a_chart_are_apart_for_every_eye(chart: str, eyes: str) -> None:
    """Each two colours of a chart differ clearly, whichever cones a reader lacks."""
    for one, other in itertools.combinations(CHARTS[chart], 2):
        distance = float(np.linalg.norm(seen(one, EYES[eyes]) - seen(other, EYES[eyes])))
        assert distance >= APART, f"{one} and {other}: {distance:.1f}"
