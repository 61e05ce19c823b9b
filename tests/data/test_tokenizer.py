import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vqapg.data.tokenizer import detokenize, tokenize, without_full_stop

EXAMPLES = [
    ("What is this?", "what is this ?"),
    ("what's on the desk?", "what 's on the desk ?"),
    ("Isn't it a dog, or can't you say?", "is n't it a dog , or ca n't you say ?"),
    ('what does the "stop" sign say?', "what does the `` stop '' sign say ?"),
    ("it's $5.00, 50% off", "it 's $ 5.00 , 50 % off"),
    ("a man (on the left)", "a man ( on the left )"),
    ("what color is the cat's tail?", "what color is the cat 's tail ?"),
    ("What's on the man's shirt?", "what 's on the man 's shirt ?"),
    ("I'm sure they've left, he'll stay", "i 'm sure they 've left , he 'll stay"),
    ("what is on the girls' heads?", "what is on the girls ' heads ?"),
    ("the 'stop' sign", "the ` stop ' sign"),
    ('"Who is it?" he asks.', "`` who is it ? '' he asks ."),
    ("a dog (brown, wet), a cat [asleep]", "a dog ( brown , wet ) , a cat [ asleep ]"),
    ("a TV; two chairs: red & white", "a tv ; two chairs : red & white"),
    ("Mr. Smith's t-shirt at 5 o'clock", "mr. smith 's t-shirt at 5 o'clock"),
    ("hello... is it me -- or the dog...", "hello ... is it me -- or the dog ..."),
    ("I cannot, I'm gonna go", "i can not , i 'm gon na go"),
]


@pytest.mark.parametrize(("text", "tokens"), EXAMPLES)
def test_penn_treebank_tokens_and_back(text, tokens):
    assert tokenize(text) == tokens.split()
    assert detokenize(tokens.split()) == text.lower()


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("daytime .", "daytime."),
        ("above the . game", "above the game"),
        ("is it above the . ?", "is it above the?"),
        ("what is it ? .", "what is it?"),
        ("daytime . .", "daytime."),
        (". daytime", "daytime"),
        ("in the u.s. .", "in the u.s."),
        ("he waits ... .", "he waits..."),
        ("on mr. smith .", "on mr. smith."),
        ("it says `` stop . ''", 'it says "stop."'),
        ("a dog ( on the left . )", "a dog (on the left.)"),
        ("it is 3.5 m .", "it is 3.5 m."),
        (". .", "."),
        ("", ""),
    ],
)
def test_full_stops_stand_where_people_put_them(tokens, text):
    assert detokenize(tokens.split()) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("daytime.", "daytime"),
        ("on mr. smith.", "on mr. smith"),
        ("5.", "5"),
        ("at 10 a.m.", "at 10 a.m."),
        ("in the u.s.a.", "in the u.s.a."),
        ("waiting...", "waiting..."),
        ("yes", "yes"),
        ("why not?", "why not?"),
        ('it says "stop."', 'it says "stop."'),
        (".", "."),
        ("", ""),
    ],
)
def test_full_stop_at_the_end_is_left_out_for_people(text, shown):
    assert without_full_stop(text) == shown


def test_any_white_space_separates_and_invisible_characters_vanish():
    assert tokenize("\ufeffa\u00a0b\u2028c\x1cd\te\r\nf\u200b \x00") == [
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
    ]
    assert tokenize(" \u200b\t\u3000 ") == []


@pytest.mark.parametrize(
    "word", ["<s>", "<pad>", "</s>", "<unk>", "<sep>", "<SEP>", "<s><sep>", "(<unk>)"]
)
def test_reserved_words_come_apart(word):
    assert not {"<s>", "<pad>", "</s>", "<unk>", "<sep>"} & set(
        tokenize(f"is {word} one?") + tokenize(word)
    )


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


def _between(left, right):
    return st.lists(WORD, min_size=1, max_size=3).map(lambda words: left + " ".join(words) + right)


# Text as people write it: words of which some are contracted, possessive, quoted or in brackets,
# with points between.
WORD = st.sampled_from(
    "a the man dogs red t-shirt what is who u.s. 3 1,000 2:30 café o'clock 12.5 on".split()
)
UNIT = st.one_of(
    WORD,
    st.sampled_from(
        "isn't can't don't won't he'll she'd they've i'm you're let's who's dogs' cannot "
        "gonna".split()
    ),
    st.sampled_from(["man", "café", "t-shirt"]).map("{}'s".format),
    st.sampled_from("$5 $5.50 50% 1/2 and/or 'stop' '90s p.m. mr. & x.jpg".split()),
    _between('"', '"'),
    _between("(", ")"),
    _between("[", "]"),
)
PART = st.lists(UNIT, min_size=1, max_size=5).map(" ".join)
TEXT = st.tuples(
    st.lists(
        st.tuples(PART, st.sampled_from([", ", "; ", ": ", " - ", " -- ", " "])).map("".join),
        max_size=2,
    ).map("".join),
    PART,
    st.sampled_from(["?", "!", ".", "", "?!", "??"]),
).map("".join)


@settings(max_examples=500)
@given(TEXT)
def test_text_comes_back_as_people_write_it(text):
    assert detokenize(tokenize(text)) == text


@given(
    st.lists(
        st.tuples(PART.filter(lambda part: not part.endswith(".")), st.just("... ")).map("".join)
    ).map("".join)
)
def test_a_pause_stays_a_pause(text):
    assert detokenize(tokenize(text)) == text.strip()


@given(
    st.lists(
        st.sampled_from("what is the colour of red , two dogs 's there n't ?".split()), min_size=1
    )
)
def test_no_word_is_lost_on_the_way_back(tokens):
    assert detokenize(tokens).replace(" ", "") == "".join(tokens)
