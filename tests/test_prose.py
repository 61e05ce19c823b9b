"""How the sentences of a Markdown page are found and counted."""

from tests.support.prose import anchors, code_lines, numbered_prose, sentences

PAGE = """# A heading

One sentence that goes on
over two lines. `Code.Of two` and [a link](other.md) are words, e.g. here. Is it?
Yes (it is.) 3 ways.

- An item
  that goes on
- Another

```
a command. With words. --of ITS own
```

| a cell. Two sentences. | b `x\\|y` |
"""


def test_sentences_end_at_stops_not_in_code_or_lines():
    assert [(sentence.line, sentence.text) for sentence in sentences(PAGE) if sentence.text] == [
        (1, "A heading"),
        (3, "One sentence that goes on over two lines."),
        (3, "`Code·Of_two` and a link are words, e.g. here."),
        (3, "Is it?"),
        (3, "Yes (it is.)"),
        (3, "3 ways."),
        (7, "An item that goes on"),
        (9, "Another"),
        (15, "a cell."),
        (15, "Two sentences."),
        (15, "b `x\\|y`"),
    ]


def test_words_of_a_sentence_count_a_code_span_as_one():
    [sentence] = sentences("Run `vqapg list judges` or [the other one](a/long/path.md) now.")
    assert sentence.words == 7


def test_prose_and_code_lines_are_all_lines_once():
    prose = dict(numbered_prose(PAGE))
    code = dict(code_lines(PAGE))
    assert code == {12: "a command. With words. --of ITS own"}
    assert sorted([*prose, *code]) == list(range(1, len(PAGE.splitlines()) + 1))


def test_anchors_are_spelled_as_on_github():
    page = "# What's `--x`, and Y-z?\n\n## Same\n\n## Same\n\n```\n# no heading\n```\n"
    assert anchors(page) == {"whats---x-and-y-z", "same", "same-1"}
