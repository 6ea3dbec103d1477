"""A headless Chromium that opens a page and tells what went wrong in it."""

import json
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
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


@contextmanager
def page_of(path: Path):
    """Open a file in a browser of its own, wait until it is quiet, yield the page."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    assert binary, "chromium is missing: apt-get install chromium"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [binary, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port, target = _devtools(Path(folder), process)
            address = f"ws://127.0.0.1:{port}{target}"
            with connect(address, max_size=None, open_timeout=30) as connection:
                page = Page(connection)
                page.open(path.resolve().as_uri())
                yield page
        finally:
            process.terminate()
            process.wait(20)


def _devtools(folder, process):
    file = folder / "DevToolsActivePort"
    end = time.monotonic() + 30
    while not (file.exists() and file.read_text().count("\n")):
        assert process.poll() is None and time.monotonic() < end, "no Chromium"
        time.sleep(0.1)
    return file.read_text().split()


class Page:
    """One tab: what it logs, what it asks for, what it holds."""

    def __init__(self, connection):
        self.connection, self.count, self.events = connection, 0, []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call(
            "Target.attachToTarget", targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.count += 1
        message = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.connection.send(json.dumps(message))
        while True:
            answer = json.loads(self.connection.recv(timeout=60))
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def open(self, address):
        self.call("Page.navigate", url=address)
        while not any(e["method"] == "Page.loadEventFired" for e in self.events):
            self.events.append(json.loads(self.connection.recv(timeout=60)))
        # late requests, charts and errors come now
        self.evaluate("new Promise(done => setTimeout(done, 2000))")

    def evaluate(self, expression):
        answer = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
        )
        return answer["result"].get("value")

    def errors(self):
        """Exceptions, and what was logged as an error."""
        logged = {
            "Log.entryAdded": lambda event: event["entry"]["level"],
            "Runtime.consoleAPICalled": lambda event: event["type"],
            "Runtime.exceptionThrown": lambda event: "error",
        }
        return [
            event["params"]
            for event in self.events
            if event["method"] in logged
            and logged[event["method"]](event["params"]) in ("error", "assert")
        ]

    def outside(self):
        """Addresses asked for that lie neither in the page nor on the disk."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
            and not event["params"]["request"]["url"].startswith(LOCAL)
        ]
