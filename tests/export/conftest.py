"""Pictures, a page of them, and Chromium to show it."""

import pytest
from PIL import Image

from tests.support.browser import start_chromium
from tests.support.gallery_pages import NASTY, entry, pair, write_page
from tests.support.tiny_checkpoints import draw_pictures
from vqapg.sampling.images import find_images


@pytest.fixture
def images(tmp_path):
    folder = draw_pictures(tmp_path / "photos", 3)
    Image.new("RGB", (1200, 600), "white").save(folder / "large.png")
    return find_images([folder])


@pytest.fixture
def page(tmp_path, images):
    entries = [
        entry(
            images[0],
            pair("is there a cat?", "no", 0.2, pair=[0, 0, 0, 0]),
            pair("what color is it?", "red", 0.9, pair=[255, 0, 0, 128]),
        ),
        entry(
            images[2],
            pair("is there a dog?", NASTY, 0.6, question=[255] * 4, answer=[0, 255, 255, 255]),
        ),
        entry(images[3], pair("what color is it?", "white.", 0.75)),
    ]
    about = {"model": "m:1", "seed": 7}
    return write_page(tmp_path / "gallery.html", images, iter(entries), about=about)


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
