"""learned.json: everything a fitted Pipeline learned, written canonically, so that equal bytes mean an equal model.

Names are sorted; arrays have dtype, shape and data; floats are exact (the shortest repr that reads back);
NaN and infinities are the strings `nan`, `inf`, `-inf`. What has no readable state is `{"opaque": type}`.
"""

from __future__ import annotations

import json
import math
import types
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline

FORMAT = "autolearn-learned.v1"
DEEPEST = 40
OBJECT_PARTS = 3  # of what __reduce_ex__ returns: how to make it, from what, and its state


def learned_bytes(fitted: Pipeline) -> bytes:
    """Return the canonical JSON of a fitted Pipeline, step by step."""
    steps = {name: plain(step) for name, step in fitted.steps}
    return json.dumps(
        {"format": FORMAT, "steps": steps}, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def plain(value: Any, depth: int = 0) -> Any:
    """Return a learned value as JSON can hold it, exactly."""
    if value is None or isinstance(value, bool | int | str | float):
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value
    if depth > DEEPEST:
        return {"opaque": _name(type(value))}
    if isinstance(value, np.ndarray | np.generic):
        return _array(value, depth)
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth + 1) for item in value]
    return _object(value, depth)


def _array(value: Any, depth: int) -> Any:
    if isinstance(value, np.generic):
        return plain(value.item(), depth + 1)
    facts: dict[str, Any] = {"dtype": str(value.dtype), "shape": list(value.shape)}
    if value.dtype.names:  # field by field: the padding between fields is whatever the memory held
        return {**facts, "fields": {name: plain(value[name], depth + 1) for name in value.dtype.names}}
    data = value.ravel().tolist()
    if value.dtype.kind not in "biU" and not (value.dtype.kind == "f" and np.isfinite(value).all()):
        data = [plain(item, depth + 1) for item in data]
    return {**facts, "data": data}


def _object(value: Any, depth: int) -> Any:
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return {"named": _name(value)}
    if isinstance(value, set | frozenset):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    if sparse.issparse(value):
        rows = value.tocsr()
        return {"sparse": [plain(part, depth + 1) for part in (rows.data, rows.indices, rows.indptr, rows.shape)]}
    if isinstance(value, np.random.RandomState):
        return {"type": _name(type(value)), "state": plain(value.get_state(legacy=False), depth + 1)}
    if hasattr(value, "get_params"):
        own = {name: item for name, item in vars(value).items() if name not in value.get_params(deep=False)}
        return {"type": _name(type(value)), "learned": plain(own, depth + 1)}
    return _by_reduction(value, depth)


def _by_reduction(value: Any, depth: int) -> Any:
    """Take the state that copying would use: trees, losses, distance metrics and the like."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001 - a foreign type may refuse in any way
        return {"opaque": _name(type(value))}
    if not isinstance(reduced, tuple):
        return {"named": str(reduced)}
    state = [plain(part, depth + 1) for part in reduced[1:OBJECT_PARTS]]
    return {"type": _name(type(value)), "state": state}


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', thing)}"
