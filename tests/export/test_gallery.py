"""What the page holds, and the page itself in a real browser."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.support.browser import start_chromium
from tests.support.tiny_checkpoints import draw_pictures
from vqapg.export import gallery
from vqapg.export.gallery import write_gallery
from vqapg.sampling.images import find_images

NASTY = "</script><b>&\u2028"


def pair(question, answer, consistency=None, score=-0.5, /, **weights):
    encoded = {text: base64.b64encode(bytes(values)).decode() for text, values in weights.items()}
    return {
        "question": question,
        "answer": answer,
        "consistency": consistency,
        "score": score,
        "weights": encoded,
    }


@pytest.fixture
def images(tmp_path):
    folder = draw_pictures(tmp_path / "photos", 3)
    Image.new("RGB", (1200, 600), "white").save(folder / "large.png")
    return find_images([folder])


@pytest.fixture
def page(tmp_path, images):
    entries = [
        {
            "image": images[0].name,
            "pairs": [
                pair("is there a cat?", "no", 0.2, pair=[0, 0, 0, 0]),
                pair("what color is it?", "red", 0.9, pair=[255, 0, 0, 128]),
            ],
        },
        {
            "image": images[2].name,
            "pairs": [
                pair("is there a dog?", NASTY, 0.6, question=[255] * 4, answer=[0, 255, 255, 255])
            ],
        },
        {"image": images[3].name, "pairs": [pair("what color is it?", "white.", 0.75)]},
    ]
    write_gallery(
        tmp_path / "gallery.html",
        iter(entries),
        images,
        grid=(2, 2),
        about={"model": "m:1", "seed": 7},
        judged=True,
    )
    return tmp_path / "gallery.html"


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1])


def test_everything_is_in_the_one_file(page, images):
    data = data_of(page)
    assert (
        data["grid"] == [2, 2] and data["about"] == {"model": "m:1", "seed": 7} and data["judged"]
    )
    assert [image["name"] for image in data["images"]] == [
        images[place].name for place in (0, 2, 3)
    ]
    assert data["images"][1]["pairs"][0]["answer"] == NASTY
    # As people write it.
    assert data["images"][2]["pairs"][0]["answer"] == "white"
    assert [data["types"][one["type"]] for one in data["images"][0]["pairs"]] == [
        "what color",
        "is there",
    ]
    text = page.read_text()
    # Nothing is fetched: the only addresses are the thumbnails and an empty icon.
    assert not re.search(r"https?:|src=|@import|url\(", text) and text.count("</script>") == 2
    header, encoded = data["images"][2]["picture"].split(",")
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as thumbnail:
        assert header == "data:image/jpeg;base64" and thumbnail.size == (360, 180)


def test_without_an_evaluator_the_bar_is_the_models_probability_and_sorts(tmp_path, images):
    pairs = [pair("a?", "b", None, -0.6931), pair("c?", "d", None, -0.1)]
    write_gallery(
        tmp_path / "g.html",
        [{"image": images[0].name, "pairs": pairs}],
        images,
        grid=(2, 2),
        about={},
        judged=False,
    )
    data = data_of(tmp_path / "g.html")
    assert not data["judged"] and [shown["score"] for shown in data["images"][0]["pairs"]] == [
        0.905,
        0.5,
    ]


def test_a_picture_that_is_gone_and_more_images_than_a_page_holds(tmp_path, images, monkeypatch):
    monkeypatch.setattr(gallery, "MOST_IMAGES", 2)
    (tmp_path / "photos/0.png").unlink()
    entries = [{"image": image.name, "pairs": [pair("a?", "b", 0.5)] * 2} for image in images]
    write_gallery(tmp_path / "g.html", entries, images, grid=(2, 2), about={}, judged=True)
    data = data_of(tmp_path / "g.html")
    assert len(data["images"]) == 2 and data["total"] == {"images": 4, "pairs": 8}
    assert data["images"][0]["picture"] == "" and data["images"][1]["picture"]


# --- In Chromium
# --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    driver = start_chromium(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """Chromium as it came; what a page logs as an error fails the test."""
    chromium.get_log("browser")
    yield chromium
    errors = [
        entry["message"] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"
    ]
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert not errors


@pytest.fixture
def shown(browser, page):
    browser.get(page.as_uri())
    return browser


def visible(driver):
    return [
        item.find_element(By.TAG_NAME, "p").text
        for item in driver.find_elements(By.TAG_NAME, "li")
        if item.is_displayed()
    ]


def move_slider(driver, value):
    driver.execute_script(
        "const slider = document.getElementById('least'); slider.value = arguments[0];"
        "slider.dispatchEvent(new Event('input'))",
        value,
    )


@pytest.mark.browser
def test_images_with_their_pairs_and_the_score_as_a_bar(shown):
    assert visible(shown)[:2] == ["what color is it? red", "is there a cat? no"]
    assert any(NASTY[:12] in text for text in visible(shown))
    bars = shown.find_elements(By.CLASS_NAME, "bar")
    tracks = shown.find_elements(By.CLASS_NAME, "track")
    shares = [bar.size["width"] / track.size["width"] for bar, track in zip(bars, tracks)]
    assert shares == pytest.approx([0.9, 0.2, 0.6, 0.75], abs=0.01)
    assert [score.text for score in shown.find_elements(By.CLASS_NAME, "score")] == [
        "0.90",
        "0.20",
        "0.60",
        "0.75",
    ]
    for picture in shown.find_elements(By.TAG_NAME, "img"):
        shown.execute_script("arguments[0].scrollIntoView()", picture)
        assert shown.execute_async_script(
            "arguments[0].decode().then(() => arguments[1](arguments[0].naturalWidth))", picture
        )
    text = shown.find_element(By.ID, "about").text
    assert "photos/" in text and "model: m:1" in text and "seed: 7" in text
    assert [caption.text for caption in shown.find_elements(By.TAG_NAME, "figcaption")] == [
        "0.png",
        "2.png",
        "large.png",
    ]


@pytest.mark.browser
def test_filters_by_score_and_by_question_type(shown):
    assert shown.find_element(By.ID, "count").text == "4 pairs of 3 images"
    move_slider(shown, 0.7)
    assert visible(shown) == ["what color is it? red", "what color is it? white"]
    assert shown.find_element(By.ID, "count").text == "2 pairs of 2 images"
    Select(shown.find_element(By.ID, "type")).select_by_visible_text("is there … (2)")
    assert visible(shown) == [] and shown.find_element(By.ID, "none").is_displayed()
    move_slider(shown, 0)
    assert len(visible(shown)) == 2 and visible(shown)[0] == "is there a cat? no"
    assert (
        len([card for card in shown.find_elements(By.TAG_NAME, "article") if card.is_displayed()])
        == 2
    )


@pytest.mark.browser
@pytest.mark.parametrize(
    ("judged", "least", "score", "advice"),
    [
        (
            True,
            0.95,
            "Consistency",
            " Run again with a lower --min-consistency than 0.95 to keep more.",
        ),
        (True, None, "Consistency", ""),
        (False, None, "Model's probability a token", ""),
    ],
)
def test_a_page_without_pairs_says_why_and_shows_the_images(
    browser, tmp_path, images, judged, least, score, advice
):
    entries = [{"image": image.name, "pairs": []} for image in images]
    write_gallery(
        tmp_path / "g.html",
        entries,
        images,
        grid=(2, 2),
        about={},
        judged=judged,
        min_consistency=least,
    )
    browser.get((tmp_path / "g.html").as_uri())
    assert browser.find_element(By.ID, "none").text == f"No pair of these images was kept.{advice}"
    assert browser.find_element(By.ID, "score-name").text == score
    assert browser.find_element(By.ID, "count").text == "0 pairs of 4 images"
    assert not browser.find_element(By.ID, "least").is_enabled()
    assert not browser.find_element(By.ID, "about-weights").is_displayed()
    assert cards_of(browser) == [
        f"{name}\nno pair" for name in ("0.png", "1.png", "2.png", "large.png")
    ]


def cards_of(driver):
    """Texts of the cards that are shown."""
    return [
        card.text for card in driver.find_elements(By.TAG_NAME, "article") if card.is_displayed()
    ]


@pytest.mark.browser
def test_an_image_without_a_pair_is_shown_until_something_is_filtered(browser, tmp_path, images):
    entries = [
        {
            "image": images[0].name,
            "pairs": [pair("what color is it?", "red", 0.65), pair("is there a cat?", "no", 0.9)],
        },
        {"image": images[1].name, "pairs": []},
    ]
    write_gallery(
        tmp_path / "g.html",
        entries,
        images,
        grid=(2, 2),
        about={"keep": 2},
        judged=True,
        min_consistency=0.6,
    )
    browser.get((tmp_path / "g.html").as_uri())
    count, none = browser.find_element(By.ID, "count"), browser.find_element(By.ID, "none")
    assert count.text == "2 pairs of 2 images" and cards_of(browser)[1] == "1.png\nno pair"
    assert not none.is_displayed() and "keep: 2" in browser.find_element(By.ID, "about").text
    for move in (
        lambda: move_slider(browser, 0.7),
        lambda: Select(browser.find_element(By.ID, "type")).select_by_visible_text(
            "is there … (1)"
        ),
    ):
        move()
        assert count.text == "1 pair of 1 image" and [card[:5] for card in cards_of(browser)] == [
            "0.png"
        ]
        move_slider(browser, 0.6)
    Select(browser.find_element(By.ID, "type")).select_by_value("")
    assert len(cards_of(browser)) == 2


@pytest.mark.browser
@pytest.mark.parametrize(
    ("least", "start"),
    [(None, "0.00"), (0.6, "0.60"), (0.29, "0.29"), (0.605, "0.60"), (1, "1.00")],
)
def test_the_slider_starts_at_the_least_consistency_and_goes_to_1(
    browser, tmp_path, images, least, start
):
    entries = [
        {
            "image": images[0].name,
            "pairs": [pair("a?", "b", consistency) for consistency in (least or 0, 1)],
        }
    ]
    write_gallery(
        tmp_path / "g.html",
        entries,
        images,
        grid=(2, 2),
        about={},
        judged=True,
        min_consistency=least,
    )
    browser.get((tmp_path / "g.html").as_uri())
    text = browser.find_element(By.ID, "least-text")
    assert text.text == f"at least {start}" and len(visible(browser)) == 2
    move_slider(browser, 0)
    assert text.text == f"at least {start}" and len(visible(browser)) == 2
    move_slider(browser, 1)
    assert text.text == "at least 1.00" and visible(browser)


def darkness(driver, card):
    """How dark each region is, 0 to 255, by the overlay's pixels; None when there is no overlay."""
    return driver.execute_script(
        "const canvas = arguments[0].querySelector('canvas'); if (canvas.hidden) return null;"
        "const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, "
        "canvas.height).data;"
        "return [...pixels].filter((value, place) => place % 4 === 3)",
        card,
    )


@pytest.mark.browser
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


@pytest.mark.browser
def test_weights_of_objects_are_painted_into_their_boxes(browser, tmp_path, images):
    boxes = np.array([[0, 0, 0.5, 1], [0.25, 0, 0.75, 0.5], [0, 0, 0.1, 0.1]], np.float32)
    entry = {"image": images[3].name, "pairs": [pair("is it?", "yes", pair=[128, 255, 0])]}
    write_gallery(
        tmp_path / "boxes.html",
        [entry],
        images,
        grid=None,
        about={},
        judged=False,
        boxes={images[3].name: boxes}.get,
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


@pytest.mark.browser
def test_regions_without_a_place_are_not_shown(browser, tmp_path, images):
    entry = {"image": images[0].name, "pairs": [pair("is it?", "yes", pair=[128, 255])]}
    write_gallery(tmp_path / "none.html", [entry], images, grid=None, about={}, judged=False)
    browser.get((tmp_path / "none.html").as_uri())
    assert not browser.find_element(By.ID, "about-weights").is_displayed()
    card = browser.find_element(By.TAG_NAME, "article")
    ActionChains(browser).move_to_element(card.find_element(By.TAG_NAME, "li")).perform()
    assert darkness(browser, card) is None


@pytest.mark.browser
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


@pytest.mark.browser
def test_one_picture_at_a_time_is_dark(shown):
    cards, items = (
        shown.find_elements(By.TAG_NAME, "article"),
        shown.find_elements(By.TAG_NAME, "li"),
    )
    for item in (items[1], items[2]):
        shown.execute_script("arguments[0].dispatchEvent(new Event('mouseover'))", item)
    assert darkness(shown, cards[0]) is None and darkness(shown, cards[1]) is not None


@pytest.mark.browser
def test_on_a_phone_nothing_is_wider_than_the_screen(shown):
    shown.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
    )
    assert shown.execute_script("return document.documentElement.scrollWidth") <= 360
    cards = [card.rect for card in shown.find_elements(By.TAG_NAME, "article")]
    assert len({card["x"] for card in cards}) == 1 and all(card["width"] > 320 for card in cards)
    item = shown.find_elements(By.TAG_NAME, "li")[0]
    item.click()
    assert darkness(shown, shown.find_element(By.TAG_NAME, "article")) is not None


def contrast(driver, selector):
    """Contrast of an element's text with what it stands on, by WCAG 2."""
    colours = driver.execute_script(
        "let at = document.querySelector(arguments[0]); const text = getComputedStyle(at).color;"
        "while (getComputedStyle(at).backgroundColor === 'rgba(0, 0, 0, 0)') at = at.parentElement;"
        "return [text, getComputedStyle(at).backgroundColor]",
        selector,
    )

    def luminance(colour):
        shares = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [
            share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4
            for share in shares
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted(map(luminance, colours))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(shown, scheme):
    shown.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    ground = shown.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) > 128) == (scheme == "light")
    for selector in ("h1", "#about", "#count", "figcaption", ".question", ".answer", ".score"):
        assert contrast(shown, selector) >= 4.5, selector
