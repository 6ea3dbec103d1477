"""A headless Chromium that opens one page and tells what went wrong in it."""

import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from websockets.sync.client import connect

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--window-size=1400,1000",
]
LOCAL = ("file:", "data:", "blob:", "about:")


@dataclass
class Page:
    """What a page said and asked for while it was opened."""

    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    value: object = None


def open_page(path: Path, script: str) -> Page:
    """Open a file, wait until it is quiet, and return the value of a script."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    assert browser, "chromium is missing: apt-get install chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [browser, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port, target = _devtools(Path(folder), process)
            return _visit(f"ws://127.0.0.1:{port}{target}", path, script)
        finally:
            process.terminate()
            process.wait(10)


def _devtools(folder, process):
    file = folder / "DevToolsActivePort"
    end = time.monotonic() + 30
    while not (file.exists() and file.read_text().count("\n")):
        assert process.poll() is None and time.monotonic() < end, "no Chromium"
        time.sleep(0.1)
    return file.read_text().split()


def _visit(address, path, script):
    page = Page()
    with connect(address, max_size=None) as socket:
        numbers = iter(range(1, 10_000))
        session = None

        def ask(method, **params):
            message = {"id": next(numbers), "method": method, "params": params}
            if session:
                message["sessionId"] = session
            socket.send(json.dumps(message))
            while (answer := json.loads(socket.recv(30))).get("id") != message["id"]:
                _note(page, answer)
            assert "error" not in answer, answer
            return answer["result"]

        target = ask("Target.createTarget", url="about:blank")["targetId"]
        session = ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log", "Network"):
            ask(f"{domain}.enable")
        ask("Page.navigate", url=path.resolve().as_uri())
        end = time.monotonic() + 3
        while time.monotonic() < end:
            try:
                _note(page, json.loads(socket.recv(1)))
            except TimeoutError:
                break
        result = ask("Runtime.evaluate", expression=script, returnByValue=True)
        page.value = result["result"].get("value")
    return page


def _note(page, event):
    method, params = event.get("method"), event.get("params", {})
    if method == "Runtime.exceptionThrown":
        page.errors.append(str(params["exceptionDetails"]))
    elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
        page.errors.append(str(params["args"]))
    elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
        page.errors.append(params["entry"]["text"])
    elif method == "Network.requestWillBeSent":
        url = params["request"]["url"]
        if not url.startswith(LOCAL):
            page.outside.append(url)
