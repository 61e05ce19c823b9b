"""The page in a real browser: Chromium, by its driver, without a window."""

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.annotation_pages import KeyboardPage, Server
from tests.support.browser import start_chromium
from vqapg.annotation.judgements import read_judgements

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    driver = start_chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def server(session):
    server = Server(session)
    yield server
    server.stop()


class Page(KeyboardPage):
    """What a person does and sees: keys, and what stands on the page."""

    def focus(self):
        """The number of the card that has the focus, and the name of the field if one has."""
        return self.driver.execute_script(
            "const at = document.activeElement, cards = [...document.querySelectorAll('.pair')];"
            "return [cards.indexOf(at.closest('.pair')), at.name ?? null]"
        )

    def questions(self):
        return [found.text for found in self.driver.find_elements(By.CLASS_NAME, "question")]

    def values(self, field):
        found = self.driver.find_elements(By.CSS_SELECTOR, f"input[name={field}]")
        return [element.get_property("value") for element in found]

    def marks(self):
        found = self.driver.find_elements(By.CSS_SELECTOR, ".mark[aria-pressed=true]")
        return [element.get_attribute("data-mark") for element in found]

    def begin(self, name):
        super().begin(name)
        self.wait(lambda: self.questions())


@pytest.fixture
def page(chromium, server):
    chromium.get(server.server.url)
    chromium.get_log("browser")
    yield Page(chromium)
    assert [
        entry for entry in chromium.get_log("browser") if "Failed to load" not in entry["message"]
    ] == []


def of_group(session, judged, group):
    """What one annotator judged of a group: [(mark, question type, object), ...]."""
    return [
        tuple(
            judged.get(pair.id, {}).get(field)
            for field in ("consistency", "question_type", "object")
        )
        for pair in group.pairs
    ]


def test_a_whole_session_by_keyboard_alone(page, server, session):
    page.begin("Anna")
    order = session.order("anna")
    for place, group in enumerate(order, start=1):
        page.wait(lambda place=place: page.text("where") == f"Set {place} of {len(order)}")
        assert page.questions() == [pair.question for pair in group.pairs]
        for number in range(len(group.pairs)):
            assert page.focus() == [number, None]
            page.press("012?"[number])
            assert page.focus() == [number, "question_type"]
            page.press(Keys.ENTER)
            assert page.focus() == [number, "object"]
            page.press("cat" if number != 1 else "-", Keys.ENTER)
    page.wait(lambda: page.text("end"))
    total = sum(len(group.pairs) for group in order)
    assert "All pairs are judged" in page.text(
        "end"
    ) and f"anna: {total} of {total} pairs" in page.text("end")
    page.wait(lambda: page.text("end-saved") == "Everything is saved.")
    page.driver.refresh()
    page.wait(lambda: page.text("end"))
    judged = read_judgements(session)["anna"]
    for group in order:
        expected = [
            ("012?"[number], " ".join(pair.question.split()[:2]), "-" if number == 1 else "cat")
            for number, pair in enumerate(group.pairs)
        ]
        assert of_group(session, judged, group) == expected


def test_going_back_undoes(page, server, session):
    page.begin("anna")
    first = session.order("anna")[0]
    page.press("2")
    page.press(Keys.ENTER)
    page.press("dog", Keys.ENTER)
    assert page.focus() == [1, None]
    page.press(Keys.ARROW_UP)
    page.press("0")
    # All of the pair is judged: on to the next.
    assert page.focus() == [1, None]
    page.press(Keys.ARROW_UP)
    page.press(Keys.ENTER)
    page.press("which", Keys.ENTER)
    page.press("cow", Keys.ENTER)
    page.press(Keys.ARROW_RIGHT)
    page.wait(lambda: page.text("where").startswith("Set 2"))
    page.press(Keys.ARROW_LEFT)
    page.wait(lambda: page.text("where").startswith("Set 1"))
    assert (
        page.marks() == ["0"]
        and page.values("object")[0] == "cow"
        and page.values("question_type")[0] == "which"
    )
    page.saved()
    assert of_group(session, read_judgements(session)["anna"], first)[0] == ("0", "which", "cow")


def test_a_reload_loses_nothing(page, server, session):
    page.begin("Anna")
    page.press(Keys.PAGE_DOWN)
    page.wait(lambda: page.text("where").startswith("Set 2"))
    group = session.order("anna")[1]
    page.press("1")
    page.press(Keys.ENTER)
    page.press("a half-typed wor")  # neither Enter nor another field
    page.driver.refresh()
    page.wait(lambda: page.text("where").startswith("Set 2"))
    assert page.questions() == [pair.question for pair in group.pairs]
    assert page.marks() == ["1"] and page.values("object")[0] == "a half-typed wor"
    assert of_group(session, read_judgements(session)["anna"], group)[0][2] == "a half-typed wor"
    # A type that was only suggested is not judged.
    assert of_group(session, read_judgements(session)["anna"], group)[1] == (None, None, None)
    # Under the same name it goes on at the first open pair, from any browser.
    page.driver.get(server.server.url)
    page.begin(" ANNA ")
    assert page.text("where").startswith("Set 1")
    assert page.text("count").startswith("1 of")


def test_two_annotators_at_once(page, server, session):
    page.begin("anna")
    anna = page.driver.current_window_handle
    page.driver.switch_to.new_window("window")
    ben = page.driver.current_window_handle
    page.driver.get(server.server.url)
    page.begin("ben")
    try:
        for number in range(2):
            for window, name, mark in ((anna, "anna", "2"), (ben, "ben", "0")):
                page.driver.switch_to.window(window)
                assert page.focus() == [number, None]
                page.press(mark)
                page.press(Keys.ENTER)
                page.press(f"thing of {name}", Keys.ENTER)
                page.saved()
        for window, name, mark in ((anna, "anna", "2"), (ben, "ben", "0")):
            page.driver.switch_to.window(window)
            page.driver.get(f"{server.server.url}?annotator={name}#1")
            page.wait(lambda: page.text("where").startswith("Set 1"))
            group = session.order(name)[0]
            assert page.questions() == [pair.question for pair in group.pairs]
            assert page.marks()[:2] == [mark, mark]
            expected = [
                (mark, " ".join(pair.question.split()[:2]), f"thing of {name}")
                for pair in group.pairs[:2]
            ]
            assert of_group(session, read_judgements(session)[name], group)[:2] == expected
    finally:
        page.driver.switch_to.window(ben)
        page.driver.close()
        page.driver.switch_to.window(anna)


def test_what_the_server_does_not_take_is_sent_again(page, server, session):
    page.begin("anna")
    group = session.order("anna")[0]
    server.stop()
    page.press("2")
    page.press(Keys.ENTER)
    page.press("cat", Keys.ENTER)
    page.wait(lambda: page.text("saved").startswith("Not saved, trying again"))
    assert read_judgements(session) == {}
    server.start()
    page.saved()
    assert of_group(session, read_judgements(session)["anna"], group)[0][::2] == ("2", "cat")


def test_suggestions_are_chosen_by_the_arrows(page, server, session):
    page.begin("anna")
    group = session.order("anna")[0]
    page.press("2")
    page.press(Keys.ENTER)
    shown = [
        item.text
        for item in page.driver.find_elements(By.CSS_SELECTOR, ".choices:not([hidden]) li")
    ]
    assert len(shown) >= 2 and all(
        word in f"{group.pairs[0].question} {group.pairs[0].answer}" for word in shown
    )
    page.press(Keys.ARROW_DOWN)
    page.press(Keys.ARROW_DOWN)
    assert page.values("object")[0] == shown[1]
    page.press(Keys.ENTER)
    # What was used in the set comes first for the next pair.
    page.press("2")
    page.press(Keys.ENTER)
    page.press(Keys.ARROW_DOWN)
    page.press(Keys.ENTER)
    page.saved()
    judged = of_group(session, read_judgements(session)["anna"], group)
    assert judged[0][2] == judged[1][2] == shown[1]


def test_an_empty_object_is_not_taken(page, server, session):
    page.begin("anna")
    page.press("2")
    page.press(Keys.ENTER)
    page.press(Keys.ENTER)
    page.press("...", Keys.ENTER)
    assert page.focus() == [0, "object"]
    page.wait(lambda: page.text("saved") == "Type the object, or - for none")
    page.press(Keys.BACKSPACE * 3, "-", Keys.ENTER)
    assert page.focus() == [1, None]
    page.saved()
    assert (
        of_group(session, read_judgements(session)["anna"], session.order("anna")[0])[0][2] == "-"
    )


def test_what_the_server_refuses_is_told_and_stays_open(page, server, session):
    page.begin("anna")
    page.press("2")
    page.press(Keys.ENTER)
    page.press("cat\u200b", Keys.ENTER)  # with a character that cannot be seen
    page.wait(lambda: page.text("saved").startswith("Not saved: object"))
    page.press(Keys.ARROW_UP)
    page.press(Keys.ENTER)
    assert page.focus() == [0, "object"]
    page.press("cat", Keys.ENTER)
    page.saved()
    assert (
        of_group(session, read_judgements(session)["anna"], session.order("anna")[0])[0][2] == "cat"
    )


def test_a_name_that_is_none_is_told(page, server):
    page.driver.get(f"{server.server.url}?annotator=%07")
    page.wait(lambda: "give a name" in page.text("ask-error"))
    page.begin("anna")


def rects(page, selector):
    return [found.rect for found in page.driver.find_elements(By.CSS_SELECTOR, selector)]


def overlap(one, other):
    return all(
        one[edge] < other[edge] + other[size] and other[edge] < one[edge] + one[size]
        for edge, size in (("x", "width"), ("y", "height"))
    )


@pytest.mark.parametrize("width", [390, 1200])
def test_suggestions_cover_nothing_of_the_page(page, server, width):
    page.look(width, 844, "light")
    try:
        page.begin("anna")
        page.press("2")
        for field in ("question_type", "object"):
            assert page.focus() == [0, field]
            page.press("is", Keys.BACKSPACE * 9)  # what is typed is what they are listed by
            shown = [rect for rect in rects(page, ".choices li") if rect["height"]]
            card, *rest = rects(page, ".pair")
            assert shown and all(rect["y"] + rect["height"] <= rest[0]["y"] for rect in shown)
            beside = [
                *rest,
                *rects(page, ".question"),
                *rects(page, ".mark"),
                *rects(page, "input"),
            ]
            assert not any(overlap(rect, other) for rect in shown for other in beside)
            assert all(overlap(rect, card) for rect in shown)
            page.press("what", Keys.ENTER)
    finally:
        page.look_as_before()


def test_card_below_suggestions_stays_under_the_pointer(page, server):
    page.begin("anna")
    page.press("2")
    page.press(Keys.ENTER)
    assert page.focus() == [0, "object"]
    button = page.driver.find_elements(By.CLASS_NAME, "pair")[1].find_element(By.CLASS_NAME, "mark")
    # To press takes the focus, and with it the suggestions above.
    button.click()
    assert page.marks() == ["2", "0"] and page.focus() == [1, "question_type"]


def test_key_help_folds_and_keys_still_judge(page, server):
    page.begin("anna")
    keys = page.driver.find_element(By.ID, "keys")
    assert "cannot judge" not in keys.text
    keys.find_element(By.TAG_NAME, "summary").click()
    assert "cannot judge" in keys.text
    page.press(Keys.ENTER)
    assert "cannot judge" not in keys.text
    page.press(Keys.ARROW_DOWN)
    page.press("2")
    assert page.marks() == ["2"]


def test_photograph_stays_in_view_on_a_phone(page, server):
    page.look(390, 500, "light")
    try:
        page.begin("anna")
        page.driver.execute_script("scrollTo(0, 1e6)")
        scrolled, picture = page.driver.execute_script(
            "const { top, bottom } = document.getElementById('image').getBoundingClientRect();"
            "return [scrollY, [top, bottom]]"
        )
        assert scrolled > 200 and picture[0] >= 0 and 100 < picture[1] - picture[0] <= 250
    finally:
        page.look_as_before()


def test_one_open_pair_is_told_in_right_number(page, server, session):
    for group in session.groups:
        for pair in group.pairs:
            if pair != session.groups[0].pairs[0]:
                for field in ("consistency", "question_type", "object"):
                    server.log.append("anna", pair.id, field, "2" if field[0] == "c" else "is")
    page.begin("anna")
    for _ in session.groups:
        page.press(Keys.PAGE_DOWN)
    page.wait(lambda: "1 pair is still open" in page.text("end"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_without_scrolling_sideways(page, server, scheme):
    page.begin("anna")
    metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 360
        light = page.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert (sum(json.loads(f"[{light[4:-1]}]")) > 384) == (scheme == "light")
        heights = page.driver.execute_script(
            "return [...document.querySelectorAll('.mark')].map(b => b.offsetHeight)"
        )
        assert min(heights) >= 30
        # The focus can be seen.
        outline = "return getComputedStyle(document.activeElement).outlineStyle"
        assert page.driver.execute_script(outline) == "solid"
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
