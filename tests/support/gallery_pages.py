"""Pages of vqapg.export.gallery, and what a person does with them and sees in a browser."""

import base64
import json
import re

from selenium.webdriver.common.by import By

from vqapg.export.gallery import write_gallery

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


def entry(image, *pairs, below_minimum=0, malformed=0):
    return {
        "image": image.name,
        "pairs": list(pairs),
        "below_minimum": below_minimum,
        "malformed": malformed,
    }


def write_page(path, images, entries, **changes):
    options = {"grid": (2, 2), "about": {}, "judged": True, **changes}
    write_gallery(path, entries, images, **options)
    return path


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.DOTALL)[1])


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


def cards_of(driver):
    """Texts of the cards that are shown."""
    return [
        card.text for card in driver.find_elements(By.TAG_NAME, "article") if card.is_displayed()
    ]


def darkness(driver, card):
    """How dark each region is, 0 to 255, by the overlay's pixels; None when there is no overlay."""
    return driver.execute_script(
        "const canvas = arguments[0].querySelector('canvas'); if (canvas.hidden) return null;"
        "const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, "
        "canvas.height).data;"
        "return [...pixels].filter((value, place) => place % 4 === 3)",
        card,
    )


def on_a_phone(driver, width=390, height=844):
    metrics = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


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
