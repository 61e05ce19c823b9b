import torch
from hypothesis import given
from hypothesis import strategies as st

from vqapg.modules.text import concatenate, shift_right

END, PADDING, SEPARATOR = 2, 1, 4


def test_shift_right_starts_with_the_first_token_and_keeps_padding():
    target = torch.tensor([[5, 6, 2], [7, 2, 1]])
    assert shift_right(target, END, PADDING).tolist() == [[2, 5, 6], [2, 7, 1]]


def padded(texts):
    width = max(map(len, texts)) + 1
    return torch.tensor([[*text, END] + [PADDING] * (width - len(text) - 1) for text in texts])


words = st.lists(st.integers(5, 9), min_size=1, max_size=6)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=5))
def test_concatenate_puts_the_separator_in_place_of_the_first_end(pairs):
    joined = concatenate(padded([x for x, _ in pairs]), padded([y for _, y in pairs]), SEPARATOR, PADDING)
    expected = [[*x, SEPARATOR, *y] for x, y in pairs]
    assert joined.tolist() == padded(expected).tolist()
