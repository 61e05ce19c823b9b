"""A session's server, and what a person does with a page of it in a browser."""

import threading

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from vqapg.annotation.judgements import JudgementLog
from vqapg.annotation.server import AnnotationServer


class Server:
    """The session's server, which can be stopped and started again at the same port."""

    def __init__(self, session):
        self.session, self.port = session, 0
        self.start()

    def start(self):
        self.log = JudgementLog(self.session).__enter__()
        self.server = AnnotationServer(self.session, self.log, self.port)
        self.port = self.server.server_port
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.log.__exit__()


class KeyboardPage:
    """Keys, and what stands on the page."""

    def __init__(self, driver):
        self.driver = driver

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def text(self, id):
        return self.driver.find_element(By.ID, id).text

    def wait(self, condition):
        return WebDriverWait(self.driver, 60, poll_frequency=0.05).until(lambda driver: condition())

    def saved(self):
        self.wait(lambda: self.text("saved") == "saved")

    def begin(self, name):
        self.wait(lambda: self.driver.switch_to.active_element.get_attribute("id") == "name")
        self.press(name, Keys.ENTER)

    def look(self, width, height, scheme):
        """Shows the page in a window of that size, in the light or dark scheme."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def look_as_before(self):
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
