"""Airflow's web pages in a headless Chromium, logged in."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from real_airflow.instance import RealAirflow
from real_airflow.runs import Run

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WINDOW = {"width": 1280, "height": 1100}
PATIENCE = 20_000


def chromium() -> str | None:
    """Find the machine's Chromium: Playwright's own is never downloaded."""
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path), None)


@contextmanager
def open_page(executable: str) -> Iterator[Page]:
    """Open a browser with an empty profile and give its page."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, args=list(FLAGS), viewport=WINDOW, ignore_default_args=False
        )
        context.set_default_timeout(PATIENCE)
        try:
            yield context.pages[0]
        finally:
            context.close()


@contextmanager
def browsing(airflow: RealAirflow, executable: str) -> Iterator["Web"]:
    """Open a browser and log in to Airflow."""
    with open_page(executable) as page:
        web = Web(airflow, page)
        web.log_in()
        yield web


def screenshots() -> Path:
    """Return the folder for pictures: the one that SCREENSHOTS names, or a temporary one."""
    folder = Path(os.environ.get("SCREENSHOTS") or tempfile.mkdtemp(prefix="screenshots-"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Web:
    """What a user does on Airflow's pages; `page` is Playwright's own."""

    def __init__(self, airflow: RealAirflow, page: Page) -> None:
        self._airflow = airflow
        self.page = page
        self._shots = screenshots()

    def log_in(self) -> None:
        """Give name and password on the log-in page."""
        self.page.goto(f"{self._airflow.url}/auth/login?next=%2F")
        self.page.get_by_label("Username").fill(self._airflow.user)
        self.page.locator("input[type=password]").fill(self._airflow.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(re.compile(rf"^{re.escape(self._airflow.url)}/(?!auth)"))

    def open(self, path: str) -> None:
        """Go to a page of Airflow."""
        self.page.goto(f"{self._airflow.url}/{path}")

    def shoot(self, name: str) -> Path:
        """Take a picture of the page into the folder that SCREENSHOTS names."""
        path = self._shots / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def new_connection(self, kind: str) -> Locator:
        """Open the form for a new connection and choose its type by the name in the list."""
        self.open("connections")
        self.page.get_by_role("button", name="Add Connection").click()
        form = self.page.get_by_role("dialog")
        form.get_by_role("combobox").fill(kind)
        self.page.get_by_role("option", name=kind, exact=True).click()
        return form

    def save_connection(self, form: Locator) -> None:
        """Press Save and wait until the form has gone."""
        form.get_by_role("button", name="Save").click()
        form.wait_for(state="hidden")

    def test_connection(self, connection_id: str) -> str:
        """Press the test button of a saved connection and give what the page answers."""
        self.open("connections")
        exactly = self.page.get_by_role("cell", name=connection_id, exact=True)
        row = self.page.get_by_role("row").filter(has=exactly)
        row.get_by_role("button", name="Test Connection").click()
        answer = self.page.get_by_role("status").filter(has_text="Test Connection").first
        answer.wait_for()
        answer.evaluate("toast => Promise.all(toast.getAnimations().map(animation => animation.finished))")
        return answer.inner_text()

    def open_task(self, run: Run, task_id: str) -> None:
        """Go to the page of a task of a run, where its log is shown."""
        self.open(f"{run.page}/tasks/{task_id}")
        self.page.get_by_role("heading", name=task_id).or_(self.page.get_by_text(task_id)).first.wait_for()
