"""Settings are typed and bounded in one place; a wrong one is named as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.settings import SettingsError, described, load_settings

CASES = {
    "host without a scheme": ({"chain_rest": "rest.example:443"}, "WAYMARK_CHAIN_REST"),
    "host with a password": ({"chain_rpc": "https://me:pw@rpc.example"}, "WAYMARK_CHAIN_RPC"),
    "no agreement": ({"chain_agree": 0}, "WAYMARK_CHAIN_AGREE"),
    "network": ({"allow_private_hosts": "10.0.0.0/99"}, "WAYMARK_ALLOW_PRIVATE_HOSTS"),
    "http off loopback": ({"public_url": "http://waymark.example"}, "https://"),
    "no secret off loopback": ({"public_url": "https://waymark.example"}, "secret_keys is required"),
    "log format": ({"log_format": "xml"}, "WAYMARK_LOG_FORMAT"),
}


@pytest.mark.parametrize(("given", "named"), CASES.values(), ids=CASES)
def test_load_settings__wrong__names_the_setting(given: dict[str, object], named: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=named):
        load_settings(tmp_path / "none.env", **given)


def test_load_settings__env_file_and_environment__the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.env"
    file.write_text("WAYMARK_CHAIN_REST=https://a.example/, https://b.example\nWAYMARK_CHAIN_AGREE=2\n")
    monkeypatch.setenv("WAYMARK_CHAIN_AGREE", "1")
    settings = load_settings(file)
    assert settings.chain_rest == ("https://a.example", "https://b.example")
    assert settings.chain_agree == 1


def test_described__secrets_set__hidden() -> None:
    settings = load_settings(
        Path("none.env"),
        secret_keys="hush-hush",
        github_token="ghx-hush",
        database_url="postgresql://waymark:hush@db.example/waymark",
    )
    shown = "\n".join(f"{name}={value} {about}" for name, value, about in described(settings))
    assert "hush" not in shown
    assert "WAYMARK_DATABASE_URL=postgresql://waymark:(hidden)@db.example/waymark" in shown
    assert all(about for _, _, about in described(settings))
