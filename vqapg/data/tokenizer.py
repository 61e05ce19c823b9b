"""Penn Treebank tokens of lower-cased text (paper, section 5.1), and back to how people write it.

The tokens are those of nltk's ``TreebankWordTokenizer``. Text is given its plain spelling first:
``“it’s”`` and ``"it's"`` have the same tokens. Two repairs bring the tokens closer to
coco-caption's ``PTBTokenizer``:

- An opening single quote is a token of its own, a backquote: ``'stop'`` is ``` ` stop ' ```.
- An abbreviation with inner periods keeps its last one: ``10 a.m.`` is ``10 a.m.``.

On 29,380 texts of VQA v2.0, Visual7W and DAQUAR, 71 still differ, punctuation left out. Their
kinds:

- ``5:00pm``, one token here and two there: nltk's rules keep it whole.
- ``Miller rd.``: the last period is split off here. PTBTokenizer has a list of abbreviations, which
  also takes the surname in ``Sean Penn.`` for one.
- ``in the oven now. It will``: a period inside a text is split off there only. nltk expects single
  sentences.
- ``Noon..`` and ``lunch- time``: left whole here, split there.
- ``surfboard??`` has two question marks here, and one token ``??`` there.
"""

import re
import unicodedata
from collections.abc import Iterable

from nltk.tokenize.treebank import TreebankWordDetokenizer, TreebankWordTokenizer

# Rises when a text may get other tokens than before; data directories say which version made
# theirs.
TOKENIZER_VERSION = 2


class _Detokenizer(TreebankWordDetokenizer):
    """NLTK's, but for its rule of dashes, which would join the words around them; in its place:
    ``wait ... what`` is written ``wait... what``, not ``wait...what``."""

    DOUBLE_DASHES = (re.compile(r"\s\.\.\."), "...")


_TOKENIZER = TreebankWordTokenizer()
_DETOKENIZER = _Detokenizer()
# Characters that take no room on the page but would make two equal-looking tokens differ: control
# characters that str.split() leaves in place, the zero-width space and the byte order mark.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\ufeff]")

# The plain spelling of characters that typography puts in the place of those on a keyboard.
_PLAIN = str.maketrans(
    dict.fromkeys("‘’‚‛‹›′‵ʼ´", "'")
    | dict.fromkeys("“”„‟«»″‶", '"')
    | dict.fromkeys("‐‑‒–−", "-")
    | dict.fromkeys("—―", "--")
    | {"…": "...", "‥": ".."}
    # Hints for line breaks and for the direction of writing, within words.
    | dict.fromkeys(
        "\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069", ""
    )
)
# Ligatures and full-width forms. Not all that NFKC changes: it would turn 2½ into 21/2.
_COMPATIBLE = re.compile("[\ufb00-\ufb06\uff01-\uff5e]+")
# A backquote alone is an apostrophe; two are the Treebank's opening quotes.
_BACKQUOTE = re.compile("(?<!`)`(?!`)")
# An apostrophe before a word opens a quotation, unless the word is a clitic or has lost its
# beginning.
_OPENING_QUOTE = re.compile(
    r"(?<![\w'])'(?=\w)(?!(?:s|m|d|t|re|ve|ll|n|em|til|tis|twas|cause|bout|round|\d0s)\b)"
)
_ABBREVIATION = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
# What may stand behind the last full stop of a text.
_CLOSING = frozenset(("''", "'", ")", "]", "}", ">", '"'))
# Scripts that are written without spaces between words: Thai, Lao, Burmese, Khmer, Japanese,
# Chinese.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)


def plain_spelling(text: str) -> str:
    """*text* with the quotes, dashes and letters of a keyboard in the place of typographic ones, in
    NFC.

    Two texts that differ in such characters alone have one plain spelling. Its case is kept.
    """
    if not text.isascii():
        text = _COMPATIBLE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
        # NFC last: a letter out of a full-width form may take an accent.
        text = unicodedata.normalize("NFC", text.translate(_PLAIN))
    return _BACKQUOTE.sub("'", text)


def tokenize(text: str) -> list[str]:
    """The tokens of *text*: lower-cased, none empty, none with white space in it.

    The Treebank rules split off ``<`` and ``>``, so no token can be one of fairseq's reserved words
    (``<s>``, ``<pad>``, ``</s>``, ``<unk>``) or the separator ``<sep>``.
    """
    text = " ".join(_INVISIBLE.sub(" ", plain_spelling(text.lower())).split())
    tokens: list[str] = []
    for token in _TOKENIZER.tokenize(_OPENING_QUOTE.sub(" ` ", text)):
        if token == "." and tokens and _ABBREVIATION.fullmatch(tokens[-1]):
            tokens[-1] += "."
        else:
            tokens.append(token)
    return tokens


def detokenize(tokens: Iterable[str]) -> str:
    """The text of *tokens* as people write it:
    ``["what", "'s", "this", "?"]`` -> ``what's this?``.

    Full stops that only models make are left out: of ``["above", "the", ".", "game"]`` comes
    ``above the game``. :func:`tokenize` splits off no full stop but the last of a text.
    """
    tokens = _without_stray_stops(list(tokens))
    written: list[str] = []
    opened = ""
    for token in tokens:
        if token == "`":
            opened += "'"
        else:
            written.append(opened + token)
            opened = ""
    return _DETOKENIZER.detokenize([*written, opened] if opened else written)


def _without_stray_stops(tokens: list[str]) -> list[str]:
    """*tokens* without full stops inside the text, and behind another mark that ends it."""
    last = len(tokens)
    while last and tokens[last - 1] in _CLOSING:
        last -= 1
    kept: list[str] = []
    for place, token in enumerate(tokens):
        ended = not kept or kept[-1].endswith((".", "?", "!"))
        if token != "." or (place == last - 1 and not ended):
            kept.append(token)
    # A text of full stops alone is one.
    return kept or tokens[:1]


def without_full_stop(text: str) -> str:
    """*text* without the full stop at its end, for pages and lines that people read.

    Some data sets end every answer with one, as in ``daytime.``. Abbreviations such as ``10 a.m.``
    keep theirs.

    Files of pairs keep it. What is read from them has the tokens that a model was trained on, which
    every figure and every judge goes by.
    """
    if not text.endswith(".") or text.endswith("..") or len(text) == 1:
        return text
    *_, word = text.split()
    return text if _ABBREVIATION.fullmatch(word[:-1]) else text[:-1].rstrip()


def is_written_without_spaces(text: str) -> bool:
    """Whether *text* holds letters of a script without spaces between words."""
    return _WITHOUT_SPACES.search(text) is not None
