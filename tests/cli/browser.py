# SPDX-License-Identifier: MIT
"""Headless Chromium, to open the pages of --html."""

import base64
import os
import unittest

from paths import tool

# Figures are as the terminal's tables write them (cli/text/units.cpp).
NAMES = ("KiB", "MiB", "GiB", "TiB")


def bytes_text(count):
    if count < 1024:
        return f"{count} B"
    value = count / 1024
    unit = 0
    while value >= 1023.95 and unit + 1 < len(NAMES):
        value /= 1024
        unit += 1
    return f"{value:.1f} {NAMES[unit]}"


def duration_text(ns):
    if ns < 1000:
        return f"{ns:.0f} ns"
    value, unit = ns / 1e3, 0
    while value >= 999.5 and unit < 2:
        value, unit = value / 1e3, unit + 1
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {('µs', 'ms', 's')[unit]}"


def count_text(count):
    return f"{count:,}"


def open_browser(directory):
    """A browser that keeps its own files below `directory`."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise unittest.SkipTest("python3-selenium is not installed") from None
    options = webdriver.ChromeOptions()
    options.binary_location = tool("chromium")
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--force-device-scale-factor=1", "--no-first-run",
                     f"--user-data-dir={directory / 'profile'}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root with it
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return Browser(webdriver.Chrome(service=Service(tool("chromedriver")), options=options))


class Browser:
    """One tab. Everything that a page logs is kept."""

    def __init__(self, driver):
        self.driver = driver
        self.set_size(1280, 900)

    def close(self):
        self.driver.quit()

    def set_size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def set_media(self, media="", dark=False):
        """`media`: "" or "print"."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": media,
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})

    def open(self, path):
        """Opens the page from disk and waits until it is drawn."""
        self.driver.get(f"file://{path}")
        self.settle()

    def visit(self, url):
        self.driver.get(url)

    def settle(self):
        """Waits for two frames: what a change of size draws is drawn in the first."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => done()));")

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null",
                        selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".map((one) => one.textContent)", selector)

    def attributes(self, selector, name):
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".map((one) => one.getAttribute(arguments[1]))", selector, name)

    def table(self, section):
        """The rows of a section's first table: dictionaries by the titles of the columns."""
        return self.run("""
            const table = document.querySelector(`#${arguments[0]} table`);
            if (!table) return [];
            const cells = (row) => [...row.querySelectorAll("td")];
            return [...table.querySelectorAll("tbody tr")].map((row) => Object.fromEntries(
                cells(row).map((cell) => [cell.dataset.title, cell.textContent])));""", section)

    def press(self, key):
        from selenium.webdriver import ActionChains
        ActionChains(self.driver).send_keys(key).perform()

    def messages(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def picture(self, most=None):
        """A PNG of the page, or of its first `most` pixels."""
        size = self.run("const {scrollWidth, scrollHeight} = document.documentElement;"
                        "return [scrollWidth, scrollHeight]")
        height = min(size[1], most or size[1])
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": height, "scale": 1}})
        return base64.b64decode(shot["data"])
