"""What the page must be in each state, and what is wrong with it."""
import json
import urllib.request

from ..process import PATIENCE

# What the first line of each page starts with.
STATES = {
    "ok": "OK",
    "degraded": "Degraded",
    "failing": "Failing",
    "states": "Failing",
    "recovering": "Failing",
    "starting": "Starting",
    "start-failed": "Failing",
    "maintenance": "In maintenance",
    "draining": "Draining",
    "no-checks": "OK",
    "hostile": "Failing",
}

SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
SCHEMES = ("light", "dark")

# Of each violation and of what axe cannot decide: the rule, and the first elements.
AXE = """axe.run(document, {resultTypes: ['violations', 'incomplete']}).then(found =>
    ['violations', 'incomplete'].flatMap(kind => found[kind].map(rule =>
        ({kind, rule: rule.id, nodes: rule.nodes.slice(0, 3).map(node => node.html.slice(0, 150) + ' ' + (node.any[0]?.message || ''))}))))"""

FACTS = """({
    title: document.title,
    heading: document.querySelector('h1').innerText,
    style: getComputedStyle(document.querySelector('h2')).marginTop,
    background: getComputedStyle(document.body).backgroundColor,
    size: getComputedStyle(document.body).fontSize,
    width: document.documentElement.scrollWidth,
    viewport: innerWidth,
    wide: [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 100)).slice(0, 3),
    text: document.body.textContent,
    alien: document.querySelectorAll('script,img,iframe,object,embed,form,input,button,template,base,body link,body style,body meta').length,
    styles: document.querySelectorAll('style').length,
    headings: document.querySelectorAll('h1').length,
    handlers: [...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on')),
    links: [...document.querySelectorAll('a')].map(a => a.href),
    hacked: typeof window.hacked,
})"""

# Each is shown by the page of `hostile`, as text; examples/page/hostile.rs has them.
ATTACKS = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1><path d=M0></svg>",
    "</style><style>body{display:none}</style>",
    "</title></bdi></main><h1>OK</h1>",
    "<a href=javascript:window.hacked=1>click</a>",
    "<meta http-equiv=refresh content=0;url=/toggle>",
    '" onmouseover="window.hacked=1" x="',
    "&lt;b&gt;&amp;&#x3c;script&#x3e;",
    "\\u202e\\u202e\\u202e",
    "gnp.\\u202eexe.kcehc",
    "a\\u0000b\\u001b[31mc\\u2066d\\u0085e",
    "x" * 1024 + "…",
    "\u5e45" * 341 + "…",
)

# Characters that no page contains, whatever names and messages do.
MISLEADING = [chr(code) for code in (0, 0x1B, 0x85, 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))]


def complaints(tab, axe, url, state, refreshes=False):
    """Yields what is wrong with the page that a tab shows."""
    facts = tab.evaluate(FACTS)
    yield from _facts(facts, state)
    if set(tab.requests) != {url}:
        yield f"it requests {sorted(set(tab.requests) - {url})}"
    # A response that is not 2xx is an entry of the log.
    yield from (f"the browser says: {text}" for text in tab.complaints if "the server responded with a status of" not in text)
    tab.evaluate(axe)
    found = tab.evaluate(AXE)
    rules = [(rule["kind"], rule["rule"]) for rule in found]
    if refreshes != (("violations", "meta-refresh") in rules):
        yield "axe sees a refresh where there is none, or the other way round"
    for rule in found:
        if rule["rule"] != "meta-refresh":
            yield f"axe, {rule['kind']}: {rule['rule']}: {rule['nodes']}"


def _facts(facts, state):
    if not facts["heading"].startswith(STATES[state]):
        yield f"its first line is {facts['heading']!r}"
    if not facts["title"].startswith(f"{STATES[state]} /{state}"):
        yield f"its title is {facts['title']!r}"
    if facts["style"] != "24px":
        yield "its style does not apply"
    if facts["width"] > facts["viewport"] or facts["wide"]:
        yield f"it is {facts['width']} px wide, and the viewport {facts['viewport']}: {facts['wide']}"
    if facts["alien"] or facts["styles"] != 1 or facts["headings"] != 1 or facts["handlers"]:
        yield f"it has elements that it should not have: {json.dumps({**facts, 'text': ''})}"
    if facts["hacked"] != "undefined":
        yield "a script ran"
    if others := [link for link in facts["links"] if not link.startswith(("http://127.0.0.1:", "https://example.com/"))]:
        yield f"it has the links {others}"
    if found := [hex(ord(character)) for character in MISLEADING if character in facts["text"]]:
        yield f"it contains {found}"
    if state == "hostile":
        yield from (f"it does not show {attack[:60]!r}" for attack in ATTACKS if attack not in facts["text"])


def refresh(browser, server):
    """Yields what is wrong with the page that loads itself again: first as it was, then after a change of the state."""
    url = f"{server}/ok?format=html"
    heading = "document.querySelector('h1').innerText"
    # Text is inserted above it by the change, and the reader should not notice.
    place = "document.querySelectorAll('.c>li')[3].getBoundingClientRect().top"
    with browser.open_tab(*SIZES["phone"], "light") as tab:
        tab.open(url)
        tab.evaluate("scrollTo(0, 400)")
        if (position := tab.evaluate("scrollY")) != 400:
            yield f"the page is too short to scroll: {position}"
        top = tab.evaluate(place)
        for changes, start in (False, "OK"), (True, "In maintenance"):
            if changes:
                toggle(server)
            tab.evaluate("window.isOld = true")
            is_new = "window.isOld === undefined && document.readyState == 'complete'"
            tab.wait_until(lambda: tab.evaluate(is_new), "the page loads itself again", patience=15)
            # The browser restores the position after the load.
            tab.listen(0.5)
            if not (found := tab.evaluate(heading)).startswith(start):
                yield f"the first line is {found!r} after a refresh, and not {start}"
            if abs((found := tab.evaluate(place)) - top) > 1:
                yield f"the refresh moves what is read from {top} to {found}"
            if not changes and (found := tab.evaluate("scrollY")) != position:
                yield f"the refresh scrolls from {position} to {found}"
        if set(tab.requests) != {url}:
            yield f"the refresh requests {set(tab.requests)}"
    toggle(server)


def toggle(server):
    """Turns the maintenance of `ok` on or off."""
    urllib.request.urlopen(f"{server}/toggle", timeout=PATIENCE).close()
