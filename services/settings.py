"""All settings: typed, bounded, from the environment (`WAYMARK_…`) and an optional `.env`, read once."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "WAYMARK_"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")

Listed = Annotated[tuple[str, ...], NoDecode]
SecretsListed = Annotated[tuple[SecretStr, ...], NoDecode]


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says how to mend it."""


class Settings(BaseSettings):
    """The settings of one process. Every field is described in `docs/settings.md` by `python app.py settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    chain_rest: Listed = Field((), description="REST addresses of Akash nodes, comma-separated, the preferred first")
    chain_rpc: Listed = Field((), description="RPC addresses of Akash nodes, comma-separated")
    chain_id: str | None = Field(
        None, description="chain id; default: the campaign's, else the node's at first contact"
    )
    chain_agree: int = Field(
        1, ge=1, le=9, description="how many hosts must give the same answer for a fact to count"
    )
    chain_timeout_seconds: float = Field(
        20, gt=0, le=300, description="time that one answer of a node may take in all"
    )

    payout_rest: Listed = Field((), description="REST addresses of the chain where rewards are paid")
    payout_rpc: Listed = Field((), description="RPC addresses of the chain where rewards are paid")
    payout_chain_id: str | None = Field(None, description="its chain id; default: the campaign's payout_chain_id")
    payout_payer: str | None = Field(
        None, description="the account that payouts are paid from, unless a plan names one"
    )
    payout_third_above_uakt: int | None = Field(
        None, ge=0, description="above it a second person besides the planner must approve; default: one is enough"
    )
    payout_has_ledger: bool = Field(
        default=False,
        description="whether a signer of payouts uses a Ledger: then a batch has at most 40 rows, else 200",
    )
    payout_timeout_blocks: int = Field(
        14_400, ge=10, le=1_000_000, description="for how many blocks an exported payout can be broadcast"
    )
    payout_program: str = Field(
        "akash", pattern=r"^[A-Za-z0-9_./-]+$", description="the command line that signers of payouts use"
    )
    payout_node: str | None = Field(
        None, description="the RPC node in the commands of signers; default: the first of PAYOUT_RPC"
    )

    database_url: str = Field(
        "sqlite:///waymark.db", description="SQLite file or PostgreSQL (postgresql+psycopg://…)"
    )
    secret_keys: SecretsListed = Field((), description="keys that sign cookies, comma-separated, the newest first")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="the address that people open; https except on loopback"
    )
    campaign: str | None = Field(None, description="slug of the campaign to show; default: the only one loaded")
    allow_private_hosts: Listed = Field((), description="addresses or CIDRs in private ranges that may be asked")
    trusted_proxies: int = Field(0, ge=0, le=5, description="how many proxies in front of us set X-Forwarded-For")
    codehost_api: str = Field("https://api.github.com", description="the code host's REST API, as GitHub speaks it")
    codehost_hosts: Listed = Field(
        ("github.com",), description="hosts whose repositories that API knows, as links name them"
    )
    github_token: SecretStr | None = Field(None, description="token for the code host's API; optional")
    explorer_url: str | None = Field(None, description="an explorer, {address} or {tx} is put in; no link without it")
    payout_explorer_url: str | None = Field(
        None, description="an explorer of the chain where rewards are paid, {tx} is put in; default: EXPLORER_URL"
    )
    follow_every_seconds: int = Field(6, ge=1, le=600, description="how often the chain is followed")
    verify_every_seconds: int = Field(10, ge=1, le=3600, description="how often due claims are verified")
    verify_parallel: int = Field(2, ge=1, le=32, description="how many owners' claims are looked at side by side")
    control_probes: Listed = Field(
        (),
        description="two or three public addresses that show whether our own way out is open; default: the nodes of "
        "the chain, which do not show it where they stand in our own network",
    )
    probe_parallel: int = Field(32, ge=1, le=256, description="how many providers are probed side by side")
    probe_seconds: float = Field(10, ge=1, le=60, description="time in which a probed provider must have answered")
    log_format: str = Field("text", pattern="^(text|json)$", description="text for people, json for machines")
    clock_stops_at: str | None = Field(None, description="the platform's clock stops here; for the demo's --until")

    @field_validator(
        "chain_rest",
        "chain_rpc",
        "payout_rest",
        "payout_rpc",
        "allow_private_hosts",
        "secret_keys",
        "codehost_hosts",
        "control_probes",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("chain_rest", "chain_rpc", "payout_rest", "payout_rpc", "control_probes")
    @classmethod
    def _hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_address, hosts))

    @field_validator("codehost_api")
    @classmethod
    def _api(cls, address: str) -> str:
        return _address(address)

    @field_validator("allow_private_hosts")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network, strict=False)
        return networks

    @model_validator(mode="after")
    def _safe_to_serve(self) -> Self:
        parts = urlsplit(self.public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("public_url must be an address such as https://waymark.example")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
            raise ValueError("public_url must begin with https:// (http is for loopback only)")
        if not self.on_loopback and not self.secret_keys:
            raise ValueError("secret_keys is required unless public_url is on loopback: set a long random text")
        return self

    @property
    def on_loopback(self) -> bool:
        """Whether people reach this only from the same machine."""
        return urlsplit(self.public_url).hostname in LOOPBACK_NAMES

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are `Secure` and carry the `__Host-` prefix."""
        return self.public_url.startswith("https://")


def _address(host: str) -> str:
    parts = urlsplit(host)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ValueError(f"{host!r} is not an address such as https://rest.example:443")
    return host.rstrip("/")


def load_settings(env_file: Path | None = None, **overrides: object) -> Settings:
    """Read the settings. Raises SettingsError that names each wrong setting as it is written in the environment."""
    try:
        return Settings(_env_file=env_file or Path(".env"), **overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for problem in error.errors():
            name = PREFIX + "_".join(str(part) for part in problem["loc"] if isinstance(part, str)).upper()
            text = problem["msg"].removeprefix("Value error, ")
            lines.append(text if name == PREFIX else f"{name}: {text}")
        raise SettingsError("\n".join(lines)) from error


def described(settings: Settings) -> list[tuple[str, str, str]]:
    """Every setting as (name in the environment, value with secrets hidden, description)."""
    rows = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if value in (None, ()):
            text = "(not set)"
        elif "secret" in name or "token" in name:
            text = "(set, hidden)"
        elif name == "database_url":
            text = _without_password(value)
        else:
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
        rows.append((PREFIX + name.upper(), text, field.description or ""))
    return rows


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", ":(hidden)@") if parts.password else url
