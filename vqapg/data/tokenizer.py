"""Penn Treebank tokens of lower-cased text (paper, section 5.1), and back to how people write."""

import re

from nltk.tokenize.treebank import TreebankWordDetokenizer, TreebankWordTokenizer


class _Detokenizer(TreebankWordDetokenizer):
    """NLTK's, but for its rule of dashes, which would join the words around them; in its place: ``wait ... what`` is
    written ``wait... what``, not ``wait...what``."""

    DOUBLE_DASHES = (re.compile(r"\s\.\.\."), "...")


_TOKENIZER = TreebankWordTokenizer()
_DETOKENIZER = _Detokenizer()
# Characters that take no room on the page but would make two equal-looking tokens differ: control characters
# that str.split() leaves in place, the zero-width space and the byte order mark.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\ufeff]")


def tokenize(text):
    """The tokens of *text*: lower-cased, none empty, none with white space in it.

    The Treebank rules split off ``<`` and ``>``, so no token can be one of fairseq's reserved words (``<s>``,
    ``<pad>``, ``</s>``, ``<unk>``) or the separator ``<sep>``.
    """
    text = " ".join(_INVISIBLE.sub(" ", text.lower()).split())
    return _TOKENIZER.tokenize(text)


def detokenize(tokens):
    """The text of *tokens* as people write it: ``["what", "'s", "this", "?"]`` -> ``what's this?``."""
    return _DETOKENIZER.detokenize(list(tokens))
