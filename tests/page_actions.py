"""What people do on the page."""


def ask(page, question):
    """Ask in the field, and give what is shown for it when the answer is there."""
    page.get_by_label("Question", exact=True).fill(question)
    page.keyboard.press("Enter")
    turn = page.locator(".turn", has_text=question).last
    turn.wait_for()
    page.locator("body:not(.asking)").wait_for()
    return turn


def marked(page):
    """What is marked in the source that is open."""
    mark = page.locator("#source .source-text mark")
    mark.wait_for()
    return mark.text_content()


def is_owned(page):
    """Whether a text has become a program."""
    return page.evaluate("document.documentElement.dataset.owned") is not None


def is_in_view(locator):
    """Whether the middle of something is seen: neither scrolled away nor covered."""
    return locator.evaluate(
        """element => {
            const box = element.getClientRects()[0];
            const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return element === top || element.contains(top);
        }"""
    )
