"""The averages of a numeric tag in groups of calls; plain values of it are in `analyse.mean`."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from tokenusage.analyse.mean import Mean, number_in


def means_of(tags: pd.Series, groups: npt.NDArray[np.int64], size: int) -> list[Mean]:
    """Return the mean of a tag in each of `size` groups.

    Args:
        tags: per call the tag's text, a pandas Series of categories.
        groups: per call the index of its group.
        size: how many groups there are.
    """
    codes = tags.cat.codes.to_numpy().astype(np.int64)
    numbers = [number_in(text) for text in tags.cat.categories]
    # Code -1, no value, picks the last entry.
    numeric = np.array([number is not None for number in numbers] + [False])[codes]
    width = max(1, len(numbers))
    found, counts = np.unique(groups[numeric] * width + codes[numeric], return_counts=True)
    totals, calls = [0] * size, [0] * size
    for pair, count in zip(found.tolist(), counts.tolist(), strict=True):
        group, code = divmod(pair, width)
        totals[group] += (numbers[code] or 0) * count
        calls[group] += count
    return list(map(Mean, totals, calls))
