"""Money and time as integers, so that sums don't depend on the order of their terms."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import numpy.typing as npt


def to_integers(values: npt.NDArray[np.float64], per_unit: int) -> npt.NDArray[np.int64]:
    """Return `values` × `per_unit` as integers, rounded half to even.

    The value of a double is the shortest decimal that reads back as it, which is
    what stands in the log. Only where a product of doubles may round to another
    integer than that decimal does (near a half, or among very large values) is
    decimal arithmetic needed.
    """
    scaled = values * per_unit
    whole = np.rint(scaled)
    # Twice the error that the two roundings can leave.
    error = np.abs(scaled) * 1e-15
    doubtful = np.abs(np.abs(scaled - whole) - 0.5) <= error
    integers = whole.astype(np.int64)
    for index in np.flatnonzero(doubtful):
        exact = Decimal(repr(float(values[index]))) * per_unit
        integers[index] = int(exact.to_integral_value(ROUND_HALF_EVEN))
    return integers
