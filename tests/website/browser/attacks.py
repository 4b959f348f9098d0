"""What somebody may write into logs, results, parameters and names: none of it may do anything in a browser."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject, JsonValue

_SCRIPT = "window.attacked = 1"

TEXTS = (
    f"<script>{_SCRIPT}</script>",
    f'"><script>{_SCRIPT}</script>',
    f"'><img src=x onerror='{_SCRIPT}'>",
    f'" onmouseover="{_SCRIPT}" autofocus onfocus="{_SCRIPT}" x="',
    f"<svg onload={_SCRIPT.replace(' ', '')}>",
    f"</title></textarea></pre></style></script><script>{_SCRIPT}</script>",
    f"<!--><script>{_SCRIPT}</script>-->",
    f"]]><script>{_SCRIPT}</script>",
    '<meta http-equiv="refresh" content="0; url=https://evil.example/">',
    '<base href="https://evil.example/"><link rel="stylesheet" href="https://evil.example/x.css">',
    '<form action="https://evil.example/"><button>Log in</button></form>',
    '<iframe src="https://evil.example/"></iframe><style>@import "https://evil.example/x.css"</style>',
    "{{ 7 * 7 }}{% include 'base.html' %}{{ page.__class__ }}",
    "\u202egnp.tpircs\u202c \u2066hidden\u2069 \ufeff\u200b",
    "&lt;script&gt; &#60;script&#62; &amp;",
    f"<{'x' * 500}>",
)
"""For any place that text can come to."""

ADDRESSES = (
    f"javascript:{_SCRIPT}",
    f" javascript:{_SCRIPT}",
    f"java\tscript:{_SCRIPT}",
    f"JaVaScRiPt:{_SCRIPT}//https://example.org",
    f"data:text/html,<script>{_SCRIPT}</script>",
    f"vbscript:{_SCRIPT}",
    "https://example.org/\n<script>",
    "https://user:password@example.org\\@evil.example/",
    "//evil.example/",
    "https:evil.example",
    f'https://example.org/"onclick="{_SCRIPT}',
)
"""For places where an address may become a link."""

RESULTS: JsonObject = {
    **{text[:60]: text for text in TEXTS},
    "addresses": list[JsonValue](ADDRESSES),
    "revision_control": {"revision": TEXTS[0], "url": ADDRESSES[0], "branch": TEXTS[1], "date": TEXTS[2]},
    "tests": {"failed": TEXTS[3], TEXTS[0]: 1},
    "artifacts": [{"name": TEXTS[1], "url": ADDRESSES[4]}],
    "__proto__": {"polluted": True},
}

LOG = b"".join(
    (
        *(text.encode() + b"\n" for text in TEXTS),
        *(b"\x1b]8;;" + address.encode() + b"\x1b\\link\x1b]8;;\x1b\\\n" for address in ADDRESSES),
        b"\x1b[31;<script>window.attacked = 1</script>m red \x1b[0m\n",
        b"\x1b]0;<script>window.attacked = 1</script>\x07 title\n",
        b"\x1b[<img src=x onerror=window.attacked=1>\n",
        b"\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00\n",
        b"+ADw-script+AD4-window.attacked=1+ADw-/script+AD4-\n",
        b"half of a tag <scr\ript>window.attacked = 1</script>\n",
        b"\x08\x08\x08<script>\x1b[2K\x1b[1G</span></pre><script>window.attacked = 1</script>\n",
        b"\xe2\x80\xae<script>\xe2\x80\xac \xf0\x9f\x92\xa9 \xed\xa0\x80 \xc0\xbcscript\xc0\xbe\n",
    )
)
