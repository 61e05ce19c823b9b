from vqapg.evaluation.unknown_words import unknown_words


def test_triples_with_unknown_words_are_counted_once():
    triples = [
        ("a.png", "what is it ?", "a yak"),
        ("a.png", "is it a yak ?", "a yak , a gnu"),
        ("gnu.png", "what is it ?", "a cat"),
    ]
    known = frozenset("what is it ? a cat ,".split())
    assert unknown_words(triples, known) == {
        "triples": 3,
        "with_unknown": 2,
        "words": ["yak", "gnu"],
    }
    assert unknown_words([], known) == {"triples": 0, "with_unknown": 0, "words": []}


def test_ten_words_at_most_are_named():
    triples = [("a.png", "what ?", " ".join(f"w{n}" for n in range(30)))]
    assert len(unknown_words(triples, {"what", "?"})["words"]) == 10
