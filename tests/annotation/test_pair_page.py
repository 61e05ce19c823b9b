"""The page that asks one thing of a pair, in a real browser without a window."""

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.support.annotation_pages import KeyboardPage, Server
from tests.support.browser import start_chromium
from tests.support.consistency_sessions import make_session, triples
from vqapg.annotation.judgements import read_judgements

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    driver = start_chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def session(tmp_path):
    return make_session(tmp_path, {"a": triples("good", range(8))}, n=8)


@pytest.fixture
def server(session):
    server = Server(session)
    yield server
    server.stop()


class Page(KeyboardPage):
    def at(self, number, of=8):
        """Waits until the pair of that number, from 1, and its picture stand there."""
        self.wait(lambda: self.text("where") == f"Pair {number} of {of}")
        self.wait(lambda: self.driver.execute_script("return ready"))

    def give(self, *keys, start=1):
        """Presses a key a pair, from the pair of number *start* on."""
        for number, key in enumerate(keys, start=start):
            self.at(number)
            self.press(key)

    def pressed(self):
        found = self.driver.find_elements(By.CSS_SELECTOR, ".mark[aria-pressed=true]")
        return [button.get_attribute("data-mark") for button in found]


@pytest.fixture
def page(chromium, server):
    chromium.get(server.server.url)
    chromium.get_log("browser")
    yield Page(chromium)
    assert [
        entry for entry in chromium.get_log("browser") if "Failed to load" not in entry["message"]
    ] == []


def marks_of(session, name):
    """What one annotator said, in the order of the pairs; None where nothing."""
    judged = read_judgements(session).get(name, {})
    return [judged.get(group.pairs[0].id, {}).get("consistency") for group in session.groups]


def test_whole_session_by_keyboard_alone(page, server, session):
    page.begin("Anna")
    keys = ["1", "2", "3", "4", Keys.ARROW_RIGHT, Keys.ARROW_LEFT, Keys.ARROW_DOWN, Keys.ARROW_UP]
    for number, (key, group) in enumerate(zip(keys, session.groups, strict=True), start=1):
        page.at(number)
        assert page.text("question") == group.pairs[0].question
        assert page.text("answer") == group.pairs[0].answer
        assert page.text("count") == f"{number - 1} of 8 judged"
        shown = page.driver.find_element(By.CSS_SELECTOR, "#picture img").get_attribute("src")
        assert shown.endswith(f"/images/{group.image + 1:03}.jpg")
        page.press(key)
    page.wait(lambda: page.text("end-saved") == "Everything is saved.")
    assert "All pairs are judged" in page.text("end") and "anna: 8 of 8 pairs" in page.text("end")
    assert marks_of(session, "anna") == ["2", "1", "0", "?"] * 2


def test_backspace_goes_back_and_another_key_replaces(page, server, session):
    page.begin("anna")
    page.give("1", "1", "1")
    page.at(4)
    page.press(Keys.BACKSPACE)
    page.at(3)
    page.press(Keys.BACKSPACE)
    page.at(2)
    assert page.pressed() == ["2"]
    page.press("2")
    page.at(3)
    assert "The last one: wrong answer." in page.text("before")
    page.press(Keys.ENTER)  # keeps what it has
    page.at(4)
    page.press(Keys.ENTER)  # has nothing to keep
    page.at(4)
    page.saved()
    assert marks_of(session, "anna")[:4] == ["2", "1", "2", None]


def test_end_of_the_session_can_be_gone_back_from(page, server, session):
    page.begin("anna")
    page.give(*"11111111")
    page.wait(lambda: page.text("end"))
    page.press(Keys.BACKSPACE)
    page.at(8)
    page.press("3")
    page.wait(lambda: page.text("end-saved") == "Everything is saved.")
    assert marks_of(session, "anna")[7] == "0"


def test_key_held_down_judges_one_pair(page, server, session):
    page.begin("anna")
    page.at(1)
    page.driver.execute_script(
        "for (const repeat of [false, true, true]) dispatchEvent("
        "new KeyboardEvent('keydown', { key: '1', repeat }))"
    )
    page.at(2)
    page.saved()
    assert marks_of(session, "anna") == ["2"] + [None] * 7


def test_pair_without_its_picture_cannot_be_judged(page, server, session):
    session.image_path(session.groups[0].image).unlink()
    page.begin("anna")
    page.wait(lambda: "cannot be shown" in page.text("picture"))
    page.press("1")
    assert page.text("where") == "Pair 1 of 8" and marks_of(session, "anna") == [None] * 8


def test_next_pictures_are_there_before_they_are_asked_for(page, server, session):
    page.begin("anna")
    page.at(1)
    ahead = list(dict.fromkeys(group.image for group in session.groups[1:4]))
    loaded = "return [...pictures.values()].filter(one => one.complete).map(one => one.src)"
    page.wait(
        lambda: all(
            any(
                source.endswith(f"/{image + 1:03}.jpg")
                for source in page.driver.execute_script(loaded)
            )
            for image in ahead
        )
    )
    # Without a server they still are.
    server.stop()
    page.give("1", "1", "1")
    page.at(4)
    server.start()
    page.saved()
    assert marks_of(session, "anna")[:4] == ["2", "2", "2", None]


def test_reload_goes_on_at_the_first_open_pair(page, server, session):
    page.begin("anna")
    page.give("1", "2")
    page.saved()
    page.driver.refresh()
    page.at(3)
    assert page.text("count") == "2 of 8 judged"


def test_third_annotator_is_shown_disagreements_alone(page, server, session):
    odd = [session.groups[number].pairs[0] for number in (2, 5)]
    for group in session.groups:
        [pair] = group.pairs
        server.log.append("anna", pair.id, "consistency", "2")
        server.log.append("ben", pair.id, "consistency", "0" if pair in odd else "2")
    page.begin("cleo")
    for number, pair in enumerate(odd, start=1):
        page.at(number, of=2)
        assert page.text("question") == pair.question
        page.press("2")
    page.wait(lambda: "cleo: 2 of 2 pairs" in page.text("end"))
    page.wait(lambda: page.text("end-saved") == "Everything is saved.")
    page.driver.get(server.server.url)
    page.begin("dora")
    page.wait(lambda: "Nothing is left to judge" in page.text("end"))


def test_photograph_stays_in_view_of_a_phone_by_long_text(tmp_path, chromium):
    session = make_session(tmp_path, {"a": [("a.png", "is it ? " * 200, "yes")]}, n=1)
    server, page = Server(session), Page(chromium)
    page.look(390, 844, "light")
    try:
        chromium.get(server.server.url)
        page.begin("anna")
        page.at(1, of=1)
        chromium.execute_script("scrollTo(0, 1e6)")
        scrolled, top, bottom = chromium.execute_script(
            "const picture = document.querySelector('#picture img').getBoundingClientRect();"
            "return [scrollY, picture.top, picture.bottom]"
        )
        assert scrolled > 300 and top >= 0 and 100 < bottom < 500
    finally:
        page.look_as_before()
        server.stop()


def test_key_help_is_left_out_on_a_phone(page, server):
    page.begin("anna")
    page.at(1)
    page.press("1")
    page.at(2)
    assert "Backspace" in page.text("before") and "→" in page.text("marks")
    page.look(390, 844, "light")
    try:
        assert page.text("before") == "The last one: right answer."
        assert page.text("marks").splitlines()[0] == "right answer"
    finally:
        page.look_as_before()


def test_one_open_pair_is_told_in_right_number(tmp_path, chromium):
    session = make_session(tmp_path, {"a": triples("good", range(1))}, n=1)
    server, page = Server(session), Page(chromium)
    try:
        chromium.get(server.server.url)
        page.begin("anna")
        page.at(1, of=1)
        chromium.execute_script("show(1)")
        assert page.text("end").startswith("1 pair is still open\nanna: 0 of 1 pair.")
    finally:
        server.stop()


def test_text_of_a_pair_is_no_markup(tmp_path, chromium):
    evil = "<img src=x onerror=document.title='owned'> &amp; 1"
    session = make_session(tmp_path, {"a": [("a.png", f"{evil} ?", evil)]}, n=1)
    server = Server(session)
    try:
        chromium.get(server.server.url)
        page = Page(chromium)
        page.begin("anna")
        page.at(1, of=1)
        assert page.text("answer") == session.groups[0].pairs[0].answer
        assert "onerror" in page.text("answer") and chromium.title == "Is the answer right?"
        assert len(chromium.find_elements(By.TAG_NAME, "img")) == 1
    finally:
        server.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1200, 800)])
def test_pair_fits_the_window_in_both_schemes(page, server, width, height, scheme):
    page.look(width, height, scheme)
    try:
        page.begin("anna")
        page.at(1)
        size = (
            "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert page.driver.execute_script(size) == [width, height]
        ground = page.driver.execute_script(
            "return getComputedStyle(document.body).backgroundColor"
        )
        assert (sum(json.loads(f"[{ground[4:-1]}]")) > 384) == (scheme == "light")
        heights = "return [...document.querySelectorAll('.mark')].map(mark => mark.offsetHeight)"
        assert min(page.driver.execute_script(heights)) >= 40
    finally:
        page.look_as_before()
