"""Links to pull requests: only those of the campaign's repositories, whatever they look like."""

from __future__ import annotations

import pytest

from verifiers.codehost.links import PullRequest, contents_request, read_link

REPOSITORIES = ("Net/Apps", "git.example/team/sdls")

GOOD = [
    ("https://github.com/net/apps/pull/12", PullRequest("github.com", "Net/Apps", 12)),
    ("https://GitHub.com/NET/APPS/pull/12/", PullRequest("github.com", "Net/Apps", 12)),
    ("https://git.example/team/sdls/pull/7", PullRequest("git.example", "team/sdls", 7)),
]


@pytest.mark.parametrize(("link", "wanted"), GOOD, ids=[link for link, _ in GOOD])
def test_read_link__of_the_campaign__is_spelled_as_the_campaign_does(link: str, wanted: PullRequest) -> None:
    assert read_link(link, REPOSITORIES) == wanted


BAD = [
    "http://github.com/net/apps/pull/12",
    "https://github.com/net/other/pull/12",
    "https://git.example/net/apps/pull/12",
    "https://github.com/net/apps/issues/12",
    "https://github.com/net/apps/pull/12/files",
    "https://github.com/net/apps/pull/12?x=1",
    "https://github.com/net/apps/pull/12#x",
    "https://github.com/net/apps/pull/0",
    "https://github.com/net/apps/pull/012",
    "https://github.com/net/apps/pull/1e3",
    "https://github.com/net/apps/pull/9999999999",
    "https://github.com/net/apps/pull/\u0661\u0662",
    "https://github.com/../apps/pull/12",
    "https://github.com/net/../pull/12",
    "https://github.com:443/net/apps/pull/12",
    "https://user@github.com/net/apps/pull/12",
    "https://github.com@evil.example/net/apps/pull/12",
    "https://github.com.evil.example/net/apps/pull/12",
    "https://github.com\\@evil.example/net/apps/pull/12",
    "https://127.0.0.1/net/apps/pull/12",
    "https://github.com/net/apps/pull/12\n",
    "https://github.com/net/apps/pull/12 https://evil.example",
    " https://github.com/net/apps/pull/12",
    "https://github.com/net%2Fapps/pull/12",
    "javascript:alert(1)//github.com/net/apps/pull/12",
    "net/apps#12",
    "",
    "https://github.com/" + "n" * 5_000 + "/apps/pull/12",
]


@pytest.mark.parametrize("link", BAD, ids=[repr(link)[:60] for link in BAD])
def test_read_link__anything_else__is_refused_with_a_mend(link: str) -> None:
    with pytest.raises(ValueError, match="pull"):
        read_link(link, REPOSITORIES)


def test_contents_request__path_with_odd_signs__stays_one_path() -> None:
    pull = PullRequest("github.com", "net/apps", 1)
    wanted = "/repos/net/apps/contents/a%3Fb/%23c%20d.yaml?ref=abc1"
    assert contents_request(pull, "a?b/#c d.yaml", "abc1") == wanted
