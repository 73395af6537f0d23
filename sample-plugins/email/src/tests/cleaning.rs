//! HTML that runs nothing.

use proptest::prelude::*;

use crate::sanitize::sanitized as sanitized_within;

fn sanitized(html: &str) -> String {
    let (clean, was_cut) = sanitized_within(html, usize::MAX);
    assert!(!was_cut, "{html}");
    clean
}

#[test]
fn what_is_text_stays() {
    for html in [
        "",
        "plain &amp; simple &lt;b&gt; 5 > 4",
        "<p>one<br>two</p>",
        "<table border=\"1\"><tr><td colspan=\"2\">x</td></tr></table>",
        "<a href=\"https://example.com/?a=1&amp;b=2\">x</a>",
        "<a href=\"mailto:a@example.com\">x</a>",
        "<a href=\"#part\">x</a>",
        "<img src=\"cid:pic@x\" alt=\"a &quot;b&quot;\">",
        "<img src=\"data:image/png;base64,AAAA\">",
        "<ul><li>é</li></ul>",
    ] {
        assert_eq!(sanitized(html), html);
    }
}

#[test]
fn what_could_run_goes() {
    for (html, expected) in [
        ("<script>alert(1)</script>x", "x"),
        ("<SCRIPT SRC=x>a</SCRIPT >x", "x"),
        ("<script>a</scripty></script>x", "x"),
        ("<script>never ends", ""),
        ("<scr<script>ipt>alert(1)</script>", "ipt>alert(1)"),
        ("<style>p{}</style><svg onload=x><p>in</p></svg>y", "y"),
        (
            "<iframe src=x></iframe><object data=x>o</object><embed src=x>z",
            "z",
        ),
        ("<p onclick=\"x()\" style=\"y\" class=z id=q>a</p>", "<p>a</p>"),
        ("<p/onclick=x>a", "<p>a</p>"),
        ("<p \"onclick=x\">a", "<p>a</p>"),
        (
            "<p title='a\" onclick=x'>a",
            "<p title=\"a&quot; onclick=x\">a</p>",
        ),
        ("<a href=javascript:alert(1)>a</a>", "<a>a</a>"),
        ("<a href=\"JaVa\tScRiPt:alert(1)\">a</a>", "<a>a</a>"),
        ("<a href=\"&#106;avascript:alert(1)\">a</a>", "<a>a</a>"),
        ("<a href=\"java&Tab;script&colon;alert(1)\">a</a>", "<a>a</a>"),
        ("<a href=\" \u{1}javascript:alert(1)\">a</a>", "<a>a</a>"),
        (
            "<a href=\"vbscript:x\">a</a><a href=\"data:text/html,x\">b</a><a href=\"//x\">c</a>",
            "<a>a</a><a>b</a><a>c</a>",
        ),
        ("<a href=\"ht\ntps://x\">a</a>", "<a href=\"https://x\">a</a>"),
        ("<a href=x href=https://y>a</a>", "<a href=\"https://y\">a</a>"),
        ("<img src=x onerror=alert(1)>", "<img>"),
        ("<img src=\"data:image/svg+xml,x\">", "<img>"),
        (
            "<img src='https://x' src='javascript:y'>",
            "<img src=\"https://x\">",
        ),
        ("<form action=x><input name=a><button>b</button></form>", "b"),
        (
            "<meta http-equiv=refresh content=0><base href=x><link rel=x>a",
            "a",
        ),
        ("<!-- <p> --><!doctype html><?php x ?>a", "a"),
        ("<!--> <p>a</p>", ""),
        ("<!-- --!> <script>x</script> -->a", "a"),
        ("<math><mi><p>x</p></math>a", "a"),
        (
            "<noscript><p title=\"</noscript><img src=x onerror=y>\">",
            "<img>\"&gt;",
        ),
        ("<textarea><p>a</textarea>b<xmp><p>c</xmp>d<plaintext>e", "bd"),
        ("a < b <3 </ x> <", "a &lt; b &lt;3  &lt;"),
        ("<p", "<p></p>"),
        ("<p title=\"never ends", "<p></p>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("</div></p>x", "x"),
        ("<custom-thing a=b>x</custom-thing>", "x"),
        ("<p =x>a", "<p>a</p>"),
    ] {
        let clean = sanitized(html);
        // `>` may be written either way.
        assert_eq!(
            clean.replace("&gt;", ">"),
            expected.replace("&gt;", ">"),
            "{html}"
        );
    }
}

#[test]
fn tags_without_end_cost_no_more_than_their_length() {
    let deep = sanitized(&"<div>".repeat(100_000));
    assert_eq!(deep.matches("<div>").count(), 200);
    assert_eq!(sanitized(&"<script>".repeat(100_000)), "");
    assert_eq!(sanitized(&"<!--".repeat(100_000)), "");
    assert_eq!(sanitized(&format!("<p {}>", "a=b ".repeat(100_000))), "<p></p>");
    assert_eq!(
        sanitized(&format!("<p title=\"{}\">", "&".repeat(100_000))).len(),
        500_000 + 16
    );
}

#[test]
fn what_is_too_long_ends_between_tags_and_with_none_open() {
    let html = "<p>é<a href=\"https://x/?\">link</a></p>";
    for (most, expected) in [
        (0, ""),
        (6, ""),
        (7, "<p></p>"),
        (8, "<p></p>"),
        (9, "<p>é</p>"),
        (34, "<p>é</p>"),
        (35, "<p>é<a href=\"https://x/?\"></a></p>"),
        (37, "<p>é<a href=\"https://x/?\">li</a></p>"),
        (html.len(), html),
    ] {
        assert_eq!(
            sanitized_within(html, most),
            (expected.to_owned(), most < html.len()),
            "{most}"
        );
    }
}

/// Texts that look now and then like HTML.
fn nearly_html() -> impl Strategy<Value = String> {
    let words = proptest::sample::select(vec![
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<p",
        "<a ",
        "<script",
        "<svg",
        "<img ",
        "</p>",
        "</script>",
        "<b>",
        "style",
        "href",
        "src",
        "title",
        "onclick",
        "=",
        "\"",
        "'",
        "&",
        "&lt;",
        "&#60;",
        "&#x3c",
        "&quot;",
        ";",
        " ",
        "\n",
        "\t",
        "/",
        "javascript:",
        "https:",
        "x",
        "é",
        "\u{0}",
        "-",
        "!",
        "?",
    ]);
    proptest::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

/// Whether every `<` begins a tag that is written as this writes them.
fn is_clean(html: &str) -> bool {
    html.split('<').skip(1).all(|tag| {
        let Some((inner, text)) = tag.split_once('>') else {
            return false;
        };
        let mut rest = inner.strip_prefix('/').unwrap_or(inner);
        let name = rest.split(' ').next().unwrap_or_default();
        rest = &rest[name.len()..];
        while let Some(attribute) = rest.strip_prefix(' ') {
            let Some((name, value)) = attribute.split_once("=\"") else {
                return false;
            };
            let Some((value, after)) = value.split_once('"') else {
                return false;
            };
            let runs = value.to_ascii_lowercase().starts_with("javascript:");
            let listed = ["href", "src", "title"].contains(&name);
            if !listed || (runs && name != "title") || value.contains('<') {
                return false;
            }
            rest = after;
        }
        rest.is_empty() && ["p", "a", "img", "b"].contains(&name) && !text.contains('<')
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn nothing_is_left_but_what_is_listed(html in nearly_html()) {
        let clean = sanitized(&html);
        prop_assert!(is_clean(&clean), "{html:?} gave {clean:?}");
    }

    #[test]
    fn what_is_cut_is_as_clean_as_the_whole(html in nearly_html(), most in 0_usize..80) {
        let (whole, _) = sanitized_within(&html, usize::MAX);
        let (cut, was_cut) = sanitized_within(&html, most);
        prop_assert!(is_clean(&cut) && cut.len() <= most, "{html:?} gave {cut:?}");
        prop_assert_eq!(sanitized(&cut), cut.as_str());
        prop_assert!(was_cut || cut == whole, "{html:?} gave {cut:?}");
    }

    #[test]
    fn what_is_clean_stays_as_it_is(html in nearly_html()) {
        let clean = sanitized(&html);
        prop_assert_eq!(sanitized(&clean), clean);
    }
}
