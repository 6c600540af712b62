"""Takes the README's picture of the duty page, from a real guard and console: a home that has just been cut off.

Run it from the root of the repository: ``PYTHONPATH=tests .venv/bin/python tests/browser/picture.py``.
"""

import base64
import struct
import zlib
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, FloatRect, Page, expect, sync_playwright

from browser.home import CHROMIUM, finding, running
from rempart.care.reply import Reply
from rempart.detection.finding import Kind
from rempart.engine.orders import AttestCare, Isolate

PICTURE = Path("docs/pictures/duty-page.png")
_MOST = 250_000
"""Bytes that a picture of the README may have."""


def take() -> None:
    """Let it happen, look at it, and keep the picture."""
    with running() as home, sync_playwright() as playwright:
        home.see(finding(Kind.RECORDS, actor="10.0.1.12", asset="10.0.2.10"))
        home.contain()
        home.order(Isolate(by="Direction", asset="ward-pc-2"))
        for ward in ("ground", "first"):
            home.order(AttestCare(by="Nuit", ward=ward, reply=Reply.YES))
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-lcd-text"]
        )
        page = browser.new_context(locale="fr-BE", viewport={"width": 1360, "height": 900}).new_page()
        page.goto(home.link())
        page.locator("#proof.good").wait_for()
        expect(page.locator("h1")).to_contain_text("confiné")
        expect(page.locator("small.hurt").first).to_contain_text("isolé")
        page.reload()  # without the marks of what has just changed
        page.locator("#proof.good").wait_for()
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        PICTURE.write_bytes(_lighter(browser, page.screenshot(full_page=True, clip=_frame(page))))
        browser.close()
    print(f"{PICTURE}: {PICTURE.stat().st_size} bytes")
    assert PICTURE.stat().st_size <= _MOST


_PIXELS = """
async (png) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
  pen.drawImage(image, 0, 0);
  const bytes = pen.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return [image.width, image.height, btoa(text)];
}
"""


def _lighter(browser: Browser, png: bytes) -> bytes:
    """The picture with a palette of its 256 commonest colours (PNG, third edition, colour type 3)."""
    width, height, text = browser.new_page().evaluate(_PIXELS, base64.b64encode(png).decode())
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 4)[:, :3]
    colours, where, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(-counts)[:256]]
    distance = ((colours[:, None].astype(int) - palette[None]) ** 2).sum(axis=2)
    rows = distance.argmin(axis=1)[where].astype(np.uint8).reshape(height, width)
    body = np.insert(rows, 0, 0, axis=1).tobytes()  # each row begins with its filter: none
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(body, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _frame(page: Page) -> FloatRect:
    """The page down to the end of its cards; what is below is folded."""
    box = page.locator(".cols").bounding_box()
    assert box
    return {"x": 0, "y": 0, "width": 1360, "height": box["y"] + box["height"] + 20}


if __name__ == "__main__":
    take()
