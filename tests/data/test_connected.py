"""Connected components."""

from activation_study.data.connected import connected


def test_each_index_has_the_smallest_that_it_is_connected_with() -> None:
    assert connected(6, [(4, 5), (1, 3), (3, 4)]).tolist() == [0, 1, 2, 1, 1, 1]
    assert connected(3, []).tolist() == [0, 1, 2]
