"""Which images belong together if pairs of them do."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def connected(count: int, pairs: Sequence[tuple[int, int]] | NDArray[np.int64]) -> NDArray[np.int64]:
    """The connected components of a graph: for each index, the smallest index that it is connected with, int64 [count].

    Args:
        count: number of indices.
        pairs: indices that are connected, [P, 2].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = np.asarray(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first), bool), (first, second)), (count, count))
    _, components = connected_components(graph, directed=False)
    _, smallest, inverse = np.unique(components, return_index=True, return_inverse=True)
    return np.asarray(smallest[inverse])
