"""The pages of a study and of a data set in a real browser: nothing is fetched and nothing fails."""

from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from cli_runner import command

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]
TINY = (
    "data=scenes", "data.count=30", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=2", "training.batch_size=6", "study=tiny", "threads=1",
)  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    arguments = ("activation=relu,mish,frelu", "seed=0,1", "protocol=article,article_with/flip", "tracking=off")
    result = command(folder, "train.py", "-m", *TINY, *arguments)
    assert result.returncode == 0, result.stderr
    return folder / "multirun/tiny/report/index.html"


@pytest.fixture(scope="module")
def dataset_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    result = command(folder, "inspect_data.py", "data=scenes", "data.count=30", "label_type=regions")
    assert result.returncode == 0, result.stderr
    return next(folder.glob("outputs/inspection/*/index.html"))


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page opened in the browser, with the browser's messages and requests."""

    def __init__(self, chromium: Any, path: Path, **context: Any) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page = chromium.new_context(**context).new_page()
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("requestfailed", lambda request: self.problems.append(request.url[:100]))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def of_all(self, selector: str, expression: str) -> list[Any]:
        """The value of a JavaScript expression for each element that matches the selector."""
        values: list[Any] = self.page.eval_on_selector_all(selector, f"all => all.map(each => {expression})")
        return values


@pytest.mark.parametrize("page", ["report", "dataset_page"], indirect=True)
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_offline_without_errors_and_fits_the_window(
    chromium: Any, page: Path, viewport: dict[str, int], scheme: str
) -> None:
    visit = Visit(chromium, page, viewport=viewport, color_scheme=scheme, offline=True)
    assert visit.problems == []
    fetched = [url for url in visit.requests if not url.startswith("data:")]
    assert fetched == [page.as_uri()]
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "only tables and figures scroll"
    background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_all_images_and_figures_are_shown_and_described(chromium: Any, report: Path) -> None:
    visit = Visit(chromium, report, viewport=DESKTOP)
    rows = visit.page.locator(".gallery").count()
    assert rows >= 3
    assert visit.of_all(".gallery", "each.querySelectorAll('img').length") == [5] * rows
    assert all(width > 50 for width in visit.of_all("img", "each.naturalWidth"))
    assert all(visit.of_all("img", "each.alt.length > 5"))
    visit.page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    boxes = visit.of_all("figure svg", "[each.getBoundingClientRect().width, each.getBoundingClientRect().height]")
    assert len(boxes) == 1 + 2 * 6  # changes of the protocol, and two conditions
    assert all(width > 250 and height > 60 for width, height in boxes)
    assert all(length > 40 for length in visit.of_all("section > figure figcaption", "each.innerText.length"))


def test_figures_use_the_text_colour_of_the_page(chromium: Any, report: Path) -> None:
    colors = set()
    for scheme in ("light", "dark"):
        visit = Visit(chromium, report, viewport=DESKTOP, color_scheme=scheme)
        color = visit.page.evaluate("getComputedStyle(document.body).color")
        fills = set(visit.of_all("section:first-of-type svg text", "getComputedStyle(each).fill"))
        assert fills == {color}
        colors.add(color)
    assert len(colors) == 2


def test_collapsed_parts_are_printed(chromium: Any, report: Path) -> None:
    visit = Visit(chromium, report, viewport=DESKTOP, color_scheme="dark")
    commands = visit.page.locator("ul.commands li").first
    assert not commands.is_visible()
    visit.page.emulate_media(media="print")
    assert commands.is_visible()
    assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    visit.page.set_viewport_size({"width": 720, "height": 1000})  # a sheet of paper without its margins
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off"
    assert len(visit.page.pdf()) > 50_000


def test_the_page_of_a_data_set_shows_each_image_with_its_label(chromium: Any, dataset_page: Path) -> None:
    visit = Visit(chromium, dataset_page, viewport=DESKTOP)
    visit.page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")
    visit.page.eval_on_selector_all("img", "all => all.forEach(each => each.loading = 'eager')")
    assert visit.page.locator("p.answer").all_inner_texts() == ["No problems found."]
    assert visit.page.locator("img").count() >= 30
    assert all(width > 50 for width in visit.of_all("img", "each.naturalWidth"))
    assert all(visit.of_all("img", "each.alt.length > 5"))
    assert visit.page.locator("table").count() == 3  # classes, sizes, values: scenes have no sources or near duplicates
