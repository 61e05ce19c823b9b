import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqapg.data.tokenizer import detokenize, tokenize

EXAMPLES = [
    ("What is this?", "what is this ?"),
    ("what's on the desk?", "what 's on the desk ?"),
    ("Isn't it a dog, or can't you say?", "is n't it a dog , or ca n't you say ?"),
    ('what does the "stop" sign say?', "what does the `` stop '' sign say ?"),
    ("it's $5.00, 50% off", "it 's $ 5.00 , 50 % off"),
    ("a man (on the left)", "a man ( on the left )"),
    ("what color is the cat's tail?", "what color is the cat 's tail ?"),
]


@pytest.mark.parametrize(("text", "tokens"), EXAMPLES)
def test_penn_treebank_tokens_and_back(text, tokens):
    assert tokenize(text) == tokens.split()
    assert detokenize(tokens.split()) == text.lower()


def test_any_white_space_separates_and_invisible_characters_vanish():
    assert tokenize("\ufeffa\u00a0b\u2028c\x1cd\te\r\nf\u200b \x00") == ["a", "b", "c", "d", "e", "f"]
    assert tokenize(" \u200b\t\u3000 ") == []


@pytest.mark.parametrize("word", ["<s>", "<pad>", "</s>", "<unk>", "<sep>", "<SEP>", "<s><sep>", "(<unk>)"])
def test_reserved_words_come_apart(word):
    assert not {"<s>", "<pad>", "</s>", "<unk>", "<sep>"} & set(tokenize(f"is {word} one?") + tokenize(word))


@given(st.text())
def test_tokens_are_words_of_one_line(text):
    tokens = tokenize(text)
    for token in tokens:
        assert token and token.split() == [token]
        assert token == token.lower()
        assert token not in ("<s>", "<pad>", "</s>", "<unk>", "<sep>")
    # What is written to a line, joined by single spaces, comes back as it was.
    assert " ".join(tokens).split(" ") == (tokens or [""])
    assert isinstance(detokenize(tokens), str)


@given(st.lists(st.sampled_from("what is the colour of red , two dogs 's there n't ?".split()), min_size=1))
def test_no_word_is_lost_on_the_way_back(tokens):
    assert detokenize(tokens).replace(" ", "") == "".join(tokens)
