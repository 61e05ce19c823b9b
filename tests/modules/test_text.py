import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vqapg.modules.noise import Stream, uniform
from vqapg.modules.text import concatenate, drop_words, shift_right

END, PADDING, UNKNOWN, SEPARATOR = 2, 1, 3, 4


def test_shift_right_starts_with_the_first_token_and_keeps_padding():
    target = torch.tensor([[5, 6, 2], [7, 2, 1]])
    assert shift_right(target, END, PADDING).tolist() == [[2, 5, 6], [2, 7, 1]]


def padded(texts):
    width = max(map(len, texts)) + 1
    return torch.tensor([[*text, END] + [PADDING] * (width - len(text) - 1) for text in texts])


words = st.lists(st.integers(5, 9), min_size=1, max_size=6)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=5))
def test_concatenate_puts_the_separator_in_place_of_the_first_end(pairs):
    joined = concatenate(
        padded([x for x, _ in pairs]), padded([y for _, y in pairs]), SEPARATOR, PADDING
    )
    expected = [[*x, SEPARATOR, *y] for x, y in pairs]
    assert joined.tolist() == padded(expected).tolist()


def test_words_drop_where_their_number_is_below_the_probability():
    keys = np.array([[1, 0, row] for row in range(50)])
    previous = torch.tensor([[END, 5, 6, 7, PADDING, PADDING]]).repeat(50, 1)
    numbers = uniform(keys, 6, Stream.ANSWER_WORDS)
    dropped = drop_words(previous, keys, Stream.ANSWER_WORDS, 0.25, UNKNOWN, PADDING)
    for row, row_numbers in zip(dropped.tolist(), numbers.tolist(), strict=True):
        # The first token and padding stay, whatever their number.
        numbered = zip((5, 6, 7), row_numbers[1:4])
        words = [UNKNOWN if number < 0.25 else word for word, number in numbered]
        assert row == [END, *words, PADDING, PADDING]
    assert numbers[:, [0, 4]].lt(0.25).any(dim=0).all()
