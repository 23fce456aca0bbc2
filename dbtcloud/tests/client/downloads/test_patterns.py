"""Which artifacts a pattern means, and which names may become files."""

import pytest

from dbtcloud.client.downloads.patterns import ArtifactSelection, _matches, relative_path
from dbtcloud.client.errors import ArtifactError, ArtifactMissing


@pytest.mark.parametrize(
    ("path", "pattern", "meant"),
    [
        ("manifest.json", "*.json", True),
        ("a/manifest.json", "*.json", False),
        ("compiled/shop/models/a.sql", "compiled/**", True),
        ("compiled", "compiled/**", False),
        ("compiled/shop/models/a.sql", "**", True),
        ("manifest.json", "**", True),
        ("compiled/shop/models/a.sql", "**/*.sql", True),
        ("a.sql", "**/*.sql", True),
        ("compiled/shop/models/a.sql", "compiled/*/models/*.sql", True),
        ("compiled/shop/models/marts/a.sql", "compiled/*/models/*.sql", False),
        ("compiled/shop/models/marts/a.sql", "compiled/**/a.sql", True),
        ("compiled/shop/models/marts/b.sql", "compiled/**/a.sql", False),
        ("run/1.csv", "run/[0-9].csv", True),
        ("run/a.csv", "run/?.csv", True),
        ("Manifest.json", "m*.json", False),
        ("odd[1].sql", "odd[1].sql", True),
        ("compiled/a", "compiled", False),
    ],
)
def test_stars_stay_within_a_folder_and_two_of_them_do_not(path, pattern, meant):
    assert _matches(path, pattern) is meant


def test_each_artifact_is_chosen_once_in_the_order_asked_for():
    names = ["run_results.json", "compiled/b.sql", "compiled/a.sql", "manifest.json"]
    wanted = ["run_results.json", "compiled/**", "*.json", "not/there.json", "nothing/*"]
    assert ArtifactSelection(wanted).select(names) == (
        ["run_results.json", "compiled/a.sql", "compiled/b.sql", "manifest.json", "not/there.json"],
        ["nothing/*"],
    )


@pytest.mark.parametrize(("name", "pattern"), [("a.json", False), ("*", True), ("a?", True), ("[a]", True)])
def test_a_pattern_is_known_by_its_signs(name, pattern):
    assert ArtifactSelection(["a.sql", name]).has_patterns is pattern


@pytest.mark.parametrize(
    "path", ["manifest.json", "compiled/shop/models/a b+ü.sql", "run/..hidden/...", "C/x"]
)
def test_usual_names_stay_as_they_are(path):
    assert relative_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("../x", "a/../../x", "a/..", "..", ".", "a/./b", "", "/etc/passwd", "//host/x", "a//b", "a/"),
        *(
            "%2e%2e/x",
            "a/%2E%2e/x",
            "%252e%252e/x",
            "a%2fb/../x",
            "%2fetc/passwd",
            "..\\x",
            "a\\..\\x",
            "%5c..%5cx",
        ),
        *("C:/x", "c:x", "C:\\x", "a\0b", "a\nb", "\x7f"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(path):
    with pytest.raises(ArtifactError, match=r"was not written\. Its name would leave the target folder"):
        relative_path(path)


def test_the_error_shows_what_is_similar_first_and_counts_the_rest():
    names = ["zebra.json", "compiled/a.sql", "run_results.json", "b.json", "c.json", "d.json", "e.json"]
    told = str(ArtifactMissing(7, "run_result.json", names))
    assert told.startswith(
        "Run 7 has no artifact 'run_result.json'. "
        "It has run_results.json, b.json, c.json, d.json, e.json and 2 more. "
    )
    assert "It has no artifacts" in str(ArtifactMissing(7, "a", []))
