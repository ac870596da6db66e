"""Take the README's picture of the page anew: `python tests/page_screenshot.py [FILE]`."""

import io
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from page_actions import ask, marked
from page_service import fill, served
from PIL import Image
from playwright.sync_api import sync_playwright

from index import EmbeddedIndex
from qa.service.page import FOLDER

EARLIER = (
    "Who met where and when?",
    "Who called off a visit to Haldervik in September 2024?",
)
QUESTION = "When was the pilots’ strike settled?"
COLOURS = 256  # in a palette, so that the file is small


def picture():
    """A conversation with the source of its answer beside it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedIndex.open(Path(folder) / ".dateline") as index,
        sync_playwright() as driver,
    ):
        fill(index, Path(folder), hard=False)
        program = shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1240, "height": 700})
        with served(index) as address:
            for question in (*EARLIER, QUESTION):
                page.goto(f"{address}/#/")
                page.keyboard.press("n")
                page.locator(".welcome .choice").first.wait_for()
                turn = ask(page, question)
            turn.locator(".cite").first.click()
            marked(page)
            taken = page.screenshot()
        browser.close()
    return Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS)


if __name__ == "__main__":
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "screenshot.png"
    picture().save(to, optimize=True)
    print(f"{to}: {to.stat().st_size} bytes")
