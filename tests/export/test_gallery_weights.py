"""What a pair was made with, on its picture, in a real browser."""

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.support.gallery_pages import darkness, entry, move_slider, pair, write_page

pytestmark = pytest.mark.browser


def test_region_weights_on_hover(shown):
    cards = shown.find_elements(By.TAG_NAME, "article")
    items = shown.find_elements(By.TAG_NAME, "li")
    assert darkness(shown, cards[0]) is None
    assert (
        "the parts of the picture that it was made without"
        in shown.find_element(By.ID, "about-weights").text
    )
    ActionChains(shown).move_to_element(items[0]).perform()
    assert darkness(shown, cards[0]) == pytest.approx([0, 217, 217, 108], abs=1)
    overlay, picture = (cards[0].find_element(By.TAG_NAME, tag).rect for tag in ("canvas", "img"))
    assert overlay == pytest.approx(picture, abs=1)
    ActionChains(shown).move_to_element(items[1]).perform()
    assert darkness(shown, cards[0]) == pytest.approx([217] * 4, abs=1)
    ActionChains(shown).move_to_element(shown.find_element(By.TAG_NAME, "h1")).perform()
    assert darkness(shown, cards[0]) is None
    # A text of its own weights each
    shown.execute_script("arguments[0].scrollIntoView({block: 'center'})", items[2])
    ActionChains(shown).move_to_element(items[2].find_element(By.CLASS_NAME, "question")).perform()
    assert darkness(shown, cards[1]) == [0] * 4
    ActionChains(shown).move_to_element(items[2].find_element(By.CLASS_NAME, "answer")).perform()
    assert darkness(shown, cards[1]) == pytest.approx([217, 0, 0, 0], abs=1)
    # The keyboard does it too.
    shown.execute_script("arguments[0].focus()", items[0])
    assert darkness(shown, cards[0]) == pytest.approx([0, 217, 217, 108], abs=1)


def test_weights_of_objects_are_painted_into_their_boxes(browser, tmp_path, images):
    boxes = np.array([[0, 0, 0.5, 1], [0.25, 0, 0.75, 0.5], [0, 0, 0.1, 0.1]], np.float32)
    found = entry(images[3], pair("is it?", "yes", pair=[128, 255, 0]))
    write_page(
        tmp_path / "boxes.html", images, [found], grid=None, boxes={images[3].name: boxes}.get
    )
    browser.get((tmp_path / "boxes.html").as_uri())
    assert browser.find_element(By.ID, "about-weights").is_displayed()
    card = browser.find_element(By.TAG_NAME, "article")
    (picture,) = card.find_elements(By.TAG_NAME, "img")
    browser.execute_async_script("arguments[0].decode().then(arguments[1])", picture)
    ActionChains(browser).move_to_element(card.find_element(By.TAG_NAME, "li")).perform()
    dark = np.array(darkness(browser, card)).reshape(180, 360)  # a thumbnail of 1200 x 600
    # Left, where both lie, right, below it, and outside of all boxes; the third is under the first
    places = [(90, 60), (45, 120), (45, 240), (135, 240), (90, 300), (5, 5)]
    found = [dark[place] for place in places]
    assert found == pytest.approx([108, 0, 0, 217, 217, 108], abs=2)


def test_regions_without_a_place_are_not_shown(browser, tmp_path, images):
    found = entry(images[0], pair("is it?", "yes", pair=[128, 255]))
    write_page(tmp_path / "none.html", images, [found], grid=None)
    browser.get((tmp_path / "none.html").as_uri())
    assert not browser.find_element(By.ID, "about-weights").is_displayed()
    card = browser.find_element(By.TAG_NAME, "article")
    ActionChains(browser).move_to_element(card.find_element(By.TAG_NAME, "li")).perform()
    assert darkness(browser, card) is None


def test_one_picture_at_a_time_is_dark(shown):
    cards, items = (
        shown.find_elements(By.TAG_NAME, "article"),
        shown.find_elements(By.TAG_NAME, "li"),
    )
    for item in (items[1], items[2]):
        shown.execute_script("arguments[0].dispatchEvent(new Event('mouseover'))", item)
    assert darkness(shown, cards[0]) is None and darkness(shown, cards[1]) is not None


def test_legend_stands_for_the_name_while_weights_show(shown):
    card = shown.find_element(By.TAG_NAME, "article")
    name, legend = (card.find_element(By.CLASS_NAME, part) for part in ("name", "legend"))
    height = card.size["height"]
    assert name.is_displayed() and not legend.is_displayed()
    ActionChains(shown).move_to_element(card.find_element(By.TAG_NAME, "li")).perform()
    assert legend.is_displayed() and not name.is_displayed()
    assert legend.text.split("\n") == ["made without", "made with"]
    assert card.size["height"] == height
    ActionChains(shown).move_to_element(shown.find_element(By.TAG_NAME, "h1")).perform()
    assert name.is_displayed() and not legend.is_displayed()


def test_legend_is_not_shown_for_a_pair_without_weights(shown):
    card = shown.find_elements(By.TAG_NAME, "article")[2]
    shown.execute_script("arguments[0].click()", card.find_element(By.TAG_NAME, "li"))
    assert not card.find_element(By.CLASS_NAME, "legend").is_displayed()


def test_a_pair_that_the_slider_hides_leaves_its_picture_light(shown):
    card = shown.find_element(By.TAG_NAME, "article")
    best, worst = card.find_elements(By.TAG_NAME, "li")
    shown.execute_script("arguments[0].click()", worst)
    move_slider(shown, 0.1)
    assert darkness(shown, card) == pytest.approx([217] * 4, abs=1)
    move_slider(shown, 0.3)
    assert darkness(shown, card) is None
    move_slider(shown, 0)
    assert darkness(shown, card) is None and not shown.find_elements(By.CSS_SELECTOR, "li.on")
    # One that stays in sight keeps its darkness.
    shown.execute_script("arguments[0].click()", best)
    move_slider(shown, 0.3)
    assert darkness(shown, card) == pytest.approx([0, 217, 217, 108], abs=1)
