"""Results as what JSON knows."""

from typing import Any

import numpy as np


def for_json(data: Any) -> Any:
    """Arrays, NumPy numbers and complex numbers (as [real, imaginary]) as lists and numbers; what is not finite as None."""
    if isinstance(data, dict):
        return {str(key): for_json(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [for_json(value) for value in data]
    if hasattr(data, "tolist"):
        return for_json(np.asarray(data).tolist())
    if isinstance(data, complex):
        return [for_json(data.real), for_json(data.imag)]
    if isinstance(data, float) and not np.isfinite(data):
        return None
    return data
