"""Chromium without a window, for tests of pages."""

import logging
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

# fairseq sets the root logger to DEBUG, whereupon these would tell of every request.
for name in ("selenium", "urllib3"):
    logging.getLogger(name).setLevel(logging.WARNING)

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1280,900"
).split()


def start_chromium(profile):
    """Its driver, with the folder *profile* for what it keeps; ``quit()`` ends it."""
    options = webdriver.ChromeOptions()
    options.binary_location = _program(
        "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
    )
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, Service(_program("chromedriver")))


def _program(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(
            f"none of {', '.join(names)} is here, which pages are tested with: apt-get install "
            "chromium chromium-driver, "
            "or leave these tests out with -m 'not browser'",
            pytrace=False,
        )
    return found
