"""A token is masked in whatever form a text has it, and in what a user sees of an error."""

import base64
import html
import json
import time
from urllib.parse import quote

import pytest

from dbtcloud.client.errors import BadRequest, MalformedResponse
from dbtcloud.client.secret_mask import mask_secret
from dbtcloud.client.shown_text import cut_middle, mask_credentials, shown_value

TOKEN = "dbtc_aB3=x/y+Zz-12_34567890"


def each(template):
    return "".join(template(ord(character)) for character in TOKEN)


def in_base64(before="", after=""):
    return base64.b64encode((before + TOKEN + after).encode()).decode()


FORMS = {
    "itself": TOKEN,
    "lower case": TOKEN.lower(),
    "JSON with escaped equals signs": TOKEN.replace("=", "\\u003d"),
    "JSON with escaped slashes": TOKEN.replace("/", "\\/"),
    "JSON with every letter escaped": each(lambda code: f"\\u{code:04X}"),
    "JSON in JSON in JSON": json.dumps(json.dumps(json.dumps(TOKEN.replace("=", "\\u003d")))),
    "Python": each(lambda code: f"\\x{code:02x}"),
    "JavaScript": each(lambda code: f"\\u{{{code:x}}}"),
    "a URL": quote(TOKEN, safe=""),
    "a URL in a URL": quote(quote(TOKEN, safe=""), safe=""),
    "a URL with every letter encoded": each(lambda code: f"%{code:02X}"),
    "HTML in decimal": each(lambda code: f"&#{code};"),
    "HTML in hexadecimal": each(lambda code: f"&#x{code:x};"),
    "HTML by names": TOKEN.replace("=", "&equals;").replace("/", "&sol;").replace("+", "&plus;"),
    "HTML in a URL": quote(TOKEN.replace("=", "&#61;"), safe=""),
    "base64": in_base64(),
    "base64 behind one byte": in_base64("u"),
    "base64 behind two bytes": in_base64("u:"),
    "base64 of a header": in_base64("Token ", "\n"),
    "base64 of a user and a password": in_base64("user:"),
    "base64 of URLs": base64.urlsafe_b64encode(f"~~{TOKEN}".encode()).decode(),
    "base64 in a URL": quote(in_base64("?"), safe=""),
    "hexadecimal": TOKEN.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_token_is_masked_in_every_form(form):
    masked = mask_secret(f"before {form} between {form} after", TOKEN)
    assert masked.strip('"\\').replace("\\", "").replace('"', "") == "before *** between *** after"


@pytest.mark.parametrize(
    "text",
    [
        "C:\\new\\table",
        "100 %25 of a%20b &amp; c",
        "\\u003d \\/ \\\\ =",
        "İstanbul \\ud83d\\ude00 &nbsp; 😀",
        html.escape("<a href='x'>"),
        TOKEN[:-1],
    ],
)
def test_a_text_without_the_token_stays_as_it_is(text):
    assert mask_secret(text, TOKEN) == text
    assert mask_secret(f"{text} {TOKEN} {text}", TOKEN) == f"{text} *** {text}"


def test_a_short_token_is_masked_as_a_word_only():
    assert mask_secret("a task of a job: 'a'", "a") == "*** task of *** job: '***'"
    assert mask_secret("plain text", "") == "plain text"


@pytest.mark.parametrize("piece", ["\\", "%25", "&#61;", "d", TOKEN[:-1], in_base64()])
def test_a_long_text_is_searched_in_linear_time(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        began = time.process_time()
        mask_secret(text, TOKEN)
        return time.process_time() - began

    seconds(1_000)
    assert seconds(80_000) < 40 * max(seconds(10_000), 0.002), "eight times the size"


def test_what_looks_like_a_token_or_a_password_is_masked_without_being_known():
    text = f"Cannot use dbtu_{'a1' * 20} at https://user:{TOKEN.replace('/', '')}@proxy/"
    assert mask_credentials(text) == "Cannot use *** at https://***@proxy/"
    assert mask_credentials("model dbt_utils_helper of dbtc_shop") == "model dbt_utils_helper of dbtc_shop"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (7, "7"),
        ("Nightly", "'Nightly'"),
        ("dbtc_abc", "a text of 8 characters"),
        ("https://dbtu_abc/", "a text of 17 characters"),
        ("Token abc", "a text of 9 characters"),
        ("x" * 41, "a text of 41 characters"),
    ],
)
def test_a_value_that_may_be_a_pasted_token_is_not_shown(value, shown):
    assert shown_value(value) == shown


def test_the_middle_of_a_long_text_is_left_out():
    text = "a" * 500 + "b" * 500
    cut = cut_middle(text, 100)
    assert len(cut) <= 100
    assert cut.startswith("aaaa")
    assert cut.endswith("bbbb")
    assert "900 characters" in cut
    assert cut_middle(text, 1_000) == text


def test_an_error_masks_its_attributes_and_causes():
    error = BadRequest(400, "GET", f"/?q={TOKEN}", data={TOKEN: [(TOKEN,)]})
    error.__cause__ = MalformedResponse("It broke", why=TOKEN)
    error.__cause__.__cause__ = ValueError(TOKEN)

    error.mask(lambda text: mask_secret(text, TOKEN))

    assert TOKEN not in f"{error} {error!r} {vars(error)} {error.__cause__} {vars(error.__cause__)}"
    assert error.data == {"***": [("***",)]}
    assert isinstance(error.__cause__, MalformedResponse)
    assert error.__cause__.__cause__ is None
