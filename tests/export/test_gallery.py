"""What the page holds, and the page itself in a real browser."""

import base64
import io
import re

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.support.gallery_pages import (
    NASTY,
    cards_of,
    contrast,
    darkness,
    data_of,
    entry,
    move_slider,
    on_a_phone,
    pair,
    visible,
    write_page,
)
from vqapg.export import gallery


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


def test_score_without_a_judge_is_the_models_probability(tmp_path, images):
    found = entry(images[0], pair("a?", "b", None, -0.6931), pair("c?", "d", None, -0.1))
    data = data_of(write_page(tmp_path / "g.html", images, [found], judged=False))
    # exp(-0.1) and exp(-0.6931), the better first
    assert [shown["score"] for shown in data["images"][0]["pairs"]] == [0.905, 0.5]
    assert not data["judged"]


def test_images_beyond_what_a_page_holds_are_counted(tmp_path, images, monkeypatch):
    monkeypatch.setattr(gallery, "MOST_IMAGES", 2)
    entries = [entry(image, *[pair("a?", "b", 0.5)] * 2) for image in images]
    data = data_of(write_page(tmp_path / "g.html", images, entries))
    assert len(data["images"]) == 2 and data["total"] == {"images": 4, "pairs": 8}


def test_picture_that_is_gone_leaves_its_pairs(tmp_path, images):
    (tmp_path / "photos/0.png").unlink()
    entries = [entry(image, pair("a?", "b", 0.5)) for image in images[:2]]
    gone, there = data_of(write_page(tmp_path / "g.html", images, entries))["images"]
    assert gone["picture"] == "" and gone["size"] is None and gone["pairs"]
    assert there["picture"] and there["size"]


def test_size_of_a_picture_is_that_of_its_thumbnail(page):
    assert data_of(page)["images"][2]["size"] == [360, 180]  # of 1200 x 600


@pytest.mark.browser
def test_images_with_their_pairs_and_scores(shown):
    assert visible(shown)[:2] == ["what color is it? red", "is there a cat? no"]
    assert any(NASTY[:12] in text for text in visible(shown))
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
    shown.find_element(By.TAG_NAME, "summary").click()
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
    Select(shown.find_element(By.ID, "type")).select_by_visible_text("is there … (0)")
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
    entries = [entry(image) for image in images]
    write_page(tmp_path / "g.html", images, entries, judged=judged, min_consistency=least)
    browser.get((tmp_path / "g.html").as_uri())
    assert browser.find_element(By.ID, "none").text == f"No pair of these images was kept.{advice}"
    assert browser.find_element(By.ID, "score-name").text == score
    assert browser.find_element(By.ID, "count").text == "0 pairs of 4 images"
    assert not browser.find_element(By.ID, "least").is_enabled()
    assert not browser.find_element(By.ID, "about-weights").is_displayed()
    assert cards_of(browser) == [
        f"{name}\nno pair was drawn" for name in ("0.png", "1.png", "2.png", "large.png")
    ]


@pytest.mark.browser
def test_an_image_without_a_pair_is_shown_until_something_is_filtered(browser, tmp_path, images):
    entries = [
        entry(images[1], below_minimum=3),
        entry(
            images[0], pair("what color is it?", "red", 0.65), pair("is there a cat?", "no", 0.9)
        ),
    ]
    write_page(tmp_path / "g.html", images, entries, min_consistency=0.6)
    browser.get((tmp_path / "g.html").as_uri())
    count, none = browser.find_element(By.ID, "count"), browser.find_element(By.ID, "none")
    assert count.text == "2 pairs of 2 images" and len(cards_of(browser)) == 2
    assert not none.is_displayed()
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
    found = entry(images[0], *(pair("a?", "b", consistency) for consistency in (least or 0, 1)))
    write_page(tmp_path / "g.html", images, [found], min_consistency=least)
    browser.get((tmp_path / "g.html").as_uri())
    text = browser.find_element(By.ID, "least-text")
    assert text.text == f"at least {start}" and len(visible(browser)) == 2
    move_slider(browser, 0)
    assert text.text == f"at least {start}" and len(visible(browser)) == 2
    move_slider(browser, 1)
    assert text.text == "at least 1.00" and visible(browser)


@pytest.mark.browser
def test_on_a_phone_nothing_is_wider_than_the_screen(shown):
    on_a_phone(shown, 360, 740)
    assert shown.execute_script("return document.documentElement.scrollWidth") <= 360

    def one_column(driver):
        cards = [card.rect for card in driver.find_elements(By.TAG_NAME, "article")]
        return len({card["x"] for card in cards}) == 1 and cards[0]["width"] > 320

    # The page lays its columns out anew a moment after it was made narrower.
    WebDriverWait(shown, 10).until(one_column)
    item = shown.find_elements(By.TAG_NAME, "li")[0]
    item.click()
    assert darkness(shown, shown.find_element(By.TAG_NAME, "article")) is not None


@pytest.mark.browser
def test_first_photograph_is_in_a_phones_first_screen(browser, tmp_path, images):
    about = {"model": "m" * 60, "judge": "not checked " * 12, "warning": "rejects few " * 6}
    entries = [entry(image, pair("is it?", "yes", 0.5, pair=[9] * 4)) for image in images]
    on_a_phone(browser, 360, 640)
    browser.get(write_page(tmp_path / "g.html", images, entries, about=about).as_uri())
    notice = browser.find_element(By.ID, "notice").text
    assert notice.startswith("Warning: rejects few") and "consistency not checked" in notice
    picture = browser.find_element(By.TAG_NAME, "img").rect
    assert picture["height"] > 100 and picture["y"] + picture["height"] <= 640


@pytest.mark.browser
def test_tall_card_leaves_no_hole_beside_it(browser, tmp_path, images):
    many = [pair(f"is it {number}?", "yes", 0.5) for number in range(30)]
    entries = [entry(image, *(many[:1] if image == images[3] else many[:2])) for image in images]
    entries[0]["pairs"] = many
    browser.get(write_page(tmp_path / "g.html", images, entries).as_uri())
    first, second, third, fourth = sorted(
        (card.rect for card in browser.find_elements(By.TAG_NAME, "article")),
        key=lambda card: (card["y"], card["x"]),
    )
    assert first["y"] == second["y"] == third["y"] and first["height"] > 2 * second["height"]
    # The fourth goes right below the second, long before the first ends.
    assert fourth["x"] == second["x"]
    assert fourth["y"] - second["y"] - second["height"] == pytest.approx(16, abs=1)


@pytest.mark.browser
def test_images_without_a_pair_come_last_with_the_reason(browser, tmp_path, images):
    entries = [
        entry(images[0], below_minimum=12, malformed=1),
        entry(images[1], pair("is it?", "yes", 0.9)),
        entry(images[2], below_minimum=1),
        entry(images[3], malformed=8),
    ]
    browser.get(write_page(tmp_path / "g.html", images, entries, min_consistency=0.6).as_uri())
    assert browser.find_element(By.CSS_SELECTOR, "#without h2").text == "3 images without a pair"
    assert cards_of(browser)[0].startswith("1.png\nis it?")
    assert cards_of(browser)[1:] == [
        "0.png\n12 distinct pairs below --min-consistency 0.6; 1 malformed draw left out",
        "2.png\n1 distinct pair below --min-consistency 0.6",
        "large.png\n8 malformed draws left out",
    ]


@pytest.mark.browser
def test_repeated_pair_is_counted_as_the_slider_moves(browser, tmp_path, images):
    scores = (0.9, 0.8, 0.3)
    entries = [entry(image, pair("is it?", "no", at)) for image, at in zip(images, scores)]
    entries[0]["pairs"].append(pair("what is it?", "a cat", 0.9))
    browser.get(write_page(tmp_path / "g.html", images, entries).as_uri())
    notice = browser.find_element(By.ID, "repeats")
    assert notice.text == "Pairs repeat: 2 of 4 are distinct. Most often “is it? no”, on 3 images."
    assert sorted(visible(browser)) == ["is it? no on 3 images"] * 3 + ["what is it? a cat"]
    move_slider(browser, 0.5)
    assert notice.text == "Pairs repeat: 2 of 3 are distinct. Most often “is it? no”, on 2 images."
    assert visible(browser).count("is it? no on 2 images") == 2
    move_slider(browser, 0.85)
    assert not notice.is_displayed()
    assert sorted(visible(browser)) == ["is it? no", "what is it? a cat"]


@pytest.mark.browser
def test_counts_of_question_types_follow_the_slider(shown):
    kinds = Select(shown.find_element(By.ID, "type"))
    assert [option.text for option in kinds.options] == [
        "all (4)",
        "is there … (2)",
        "what color … (2)",
    ]
    move_slider(shown, 0.61)
    assert [option.text for option in kinds.options] == [
        "all (2)",
        "is there … (0)",
        "what color … (2)",
    ]


@pytest.mark.browser
def test_columns_follow_the_width_of_the_window(shown):
    columns = "return document.querySelectorAll('#gallery > div').length"
    assert shown.execute_script(columns) == 3
    on_a_phone(shown)
    WebDriverWait(shown, 10).until(lambda driver: driver.execute_script(columns) == 1)
    assert [card.split("\n")[0] for card in cards_of(shown)] == ["0.png", "2.png", "large.png"]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(shown, scheme):
    shown.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    ground = shown.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(re.findall(r"\d+", ground)[0]) > 128) == (scheme == "light")
    for selector in ("h1", "#about", "#count", ".name", ".question", ".answer", ".score"):
        assert contrast(shown, selector) >= 4.5, selector
