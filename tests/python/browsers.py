"""Browsers that are installed, driven without a screen: Chromium by Playwright, Firefox by BiDi.

Firefox answers the WebDriver BiDi protocol by itself: JSON over a WebSocket on this machine.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TIMEOUT = 90

# Both draw with the processor, so that a machine without a graphics card will do.
CHROMIUM = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
WITH_WEBGL = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
WITHOUT_WEBGL = ["--disable-gpu", "--disable-3d-apis"]

FIREFOX_SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    "webgl.force-enabled": True,
}


def program(*names: str) -> str:
    """Return the first of these programs that is installed; skip the test where there is none."""
    if "GV_ASAN" in os.environ:
        pytest.skip("browsers and screens do not run under a sanitizer")
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"{' or '.join(names)} is not installed (Debian: apt-get install {names[0]})")


@contextmanager
def chromium_page(*, webgl: bool = True, **options: Any) -> Iterator[Any]:
    """Yield a page of Playwright in the installed Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = program("chromium", "chromium-browser", "google-chrome")
    flags = [*CHROMIUM, *(WITH_WEBGL if webgl else WITHOUT_WEBGL)]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=flags, timeout=TIMEOUT * 1000)
        try:
            page = browser.new_page(viewport={"width": 1000, "height": 700}, **options)
            page.set_default_timeout(TIMEOUT * 1000)
            yield page
        finally:
            browser.close()


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """Yield the environment of a screen that exists in memory alone (Xvfb, with Mesa's OpenGL)."""
    path = program("Xvfb")
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        [path, "-displayfd", str(write_end), "-screen", "0", "1200x900x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        # It names the number it took once it is ready, and closes the pipe where it fails.
        number = os.read(read_end, 16).decode().strip()
        if not number:
            pytest.skip("Xvfb does not start here")
        yield os.environ | {
            "DISPLAY": f":{number}",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "QT_QPA_PLATFORM": "xcb",
        }
    finally:
        os.close(read_end)
        end(server)


def opens_windows(environment: dict[str, str]) -> bool:
    """Tell whether Qt starts on this screen; it may lack libraries of the system."""
    probe = "from qtpy.QtWidgets import QApplication; QApplication([])"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=TIMEOUT,
    )
    return done.returncode == 0


def end(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Firefox:
    """A tab of Firefox, and what was logged and asked for in it."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.count = 0
        self.events: list[dict[str, Any]] = []
        self.send("session.new", capabilities={})
        self.send("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        contexts = self.send("browsingContext.getTree")["contexts"]
        self.tab = contexts[0]["context"]

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before it are kept."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=TIMEOUT))
            if message.get("type") == "event":
                self.events.append(message)
            elif message.get("id") == self.count:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, path: Path) -> None:
        self.send("browsingContext.navigate", context=self.tab, url=path.as_uri(), wait="complete")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression that is a string, a number or a truth value."""
        result = self.send(
            "script.evaluate",
            expression=expression,
            target={"context": self.tab},
            awaitPromise=True,
        )
        assert result["type"] == "success", result
        return result["result"].get("value")

    def wait_for(self, expression: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            time.sleep(0.1)

    def press(self, *keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.send(
            "input.performActions",
            context=self.tab,
            actions=[{"type": "key", "id": "keyboard", "actions": actions}],
        )

    def screenshot(self) -> bytes:
        return base64.b64decode(
            self.send("browsingContext.captureScreenshot", context=self.tab)["data"]
        )

    def logged(self, level: str) -> list[str]:
        return [
            str(event["params"].get("text"))
            for event in self.events
            if event["method"] == "log.entryAdded" and event["params"]["level"] == level
        ]

    def requests(self) -> list[str]:
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "network.beforeRequestSent"
        ]


@contextmanager
def firefox_tab(*, webgl: bool = True) -> Iterator[Firefox]:
    """Yield a tab of the installed Firefox on a screen of its own."""
    client = pytest.importorskip("websockets.sync.client")
    path = program("firefox-esr", "firefox")
    settings = FIREFOX_SETTINGS | {"webgl.disabled": not webgl}
    with screen() as environment, tempfile.TemporaryDirectory(prefix="firefox-") as folder:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in settings.items()]
        (Path(folder) / "user.js").write_text("".join(lines))
        log = Path(folder) / "log"
        with log.open("wb") as out:
            browser = subprocess.Popen(
                [path, "--profile", folder, "--no-remote", "--remote-debugging-port", "0"],
                env=environment | {"HOME": folder, "MOZ_CRASHREPORTER_DISABLE": "1"},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            with client.connect(
                f"{_address(browser, log)}/session", max_size=None, proxy=None
            ) as socket:
                yield Firefox(socket)
        finally:
            end(browser)


def _address(browser: subprocess.Popen[Any], log: Path) -> str:
    """Return where Firefox says that it listens."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text("utf-8"))
        if found:
            return found[1]
        if browser.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"Firefox does not listen: {log.read_text('utf-8')[-2000:]}")
