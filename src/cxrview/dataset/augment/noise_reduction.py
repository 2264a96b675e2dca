"""ImageMagick's noise reduction: the median, unless that is the extreme of its neighbours."""

import numpy as np
from numpy.typing import NDArray


def reduce_noise(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Replace each pixel by the median of its neighbourhood, or the next value if it is a peak.

    The median is used if the neighbourhood has both darker and brighter pixels. If it is the
    darkest value, the next brighter one is used, and if it is the brightest, the next darker
    one, if there is any. So no pixel becomes the darkest or brightest of its neighbourhood
    unless that has fewer than three values.

    ImageMagick 6 calls the argument of `-noise` a radius, but the window is that many pixels
    wide: 2 is 2 x 2, the pixel and its neighbours above and to the left; 5 is 5 x 5 around the
    pixel. An even number of values has the upper median. Beyond the edge, the nearest pixel.

    Args:
        pixels: shape (rows, columns), uint8.
        width: rows and columns of the window, 2 or odd.

    Returns:
        Shape (rows, columns), uint8, the same pixel for pixel as `convert -noise WIDTH`.

    Raises:
        ValueError: an even width other than 2.

    Source:
        Paper, section 2; StatisticImage (NonpeakStatistic) of ImageMagick 6.9.
    """
    if width == 2:
        return _by_pairs(pixels)
    if width % 2 == 0:
        raise ValueError(f"a window is 2 or an odd number of pixels wide; got {width}")
    return _by_median_filter(np.ascontiguousarray(pixels), width)


def _by_pairs(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Filter with a 2 x 2 window: five comparisons of complete images sort its four values."""
    around = np.pad(pixels, ((1, 0), (1, 0)), mode="edge")
    one, two, three, four = around[:-1, :-1], around[:-1, 1:], around[1:, :-1], pixels
    low, high = np.minimum(one, two), np.maximum(one, two)
    low_below, high_below = np.minimum(three, four), np.maximum(three, four)
    darkest, brightest = np.minimum(low, low_below), np.maximum(high, high_below)
    inner, outer = np.maximum(low, low_below), np.minimum(high, high_below)
    second, upper_median = np.minimum(inner, outer), np.maximum(inner, outer)
    next_darker = np.where(second < upper_median, second, darkest)
    reduced = np.where(upper_median == brightest, next_darker, upper_median)
    return np.where(upper_median == darkest, brightest, reduced)


def _by_median_filter(pixels: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Filter with an odd window: OpenCV's median filter is exact, and peaks are rare."""
    import cv2

    window = np.ones((width, width), np.uint8)
    # Beyond the edge OpenCV lets nothing in here, which is the same: what a repeated edge
    # adds to a window is in it already.
    darkest, brightest = cv2.erode(pixels, window), cv2.dilate(pixels, window)
    reduced = np.asarray(cv2.medianBlur(pixels, width), np.uint8)
    is_peak = (darkest < brightest) & ((reduced == darkest) | (reduced == brightest))
    if is_peak.any():
        around = np.pad(pixels, width // 2, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(around, (width, width))
        peaks = windows[is_peak].reshape(-1, width * width)
        reduced[is_peak] = _next_to_peak(peaks, reduced[is_peak])
    return reduced


def _next_to_peak(values: NDArray[np.uint8], peak: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Find the nearest other value: brighter if the peak is darkest, darker if it is brightest.

    Args:
        values: shape (n, width * width), a window each, none of them all alike.
        peak: shape (n,), the darkest or the brightest value of its window.
    """
    distance = np.abs(values.astype(np.int16) - peak[:, None])
    distance[distance == 0] = 256
    nearest: NDArray[np.uint8] = values[np.arange(len(values)), distance.argmin(axis=1)]
    return nearest
