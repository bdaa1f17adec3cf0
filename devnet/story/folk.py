"""The people of a story: a name for each, its key, its address; made when first asked for."""

from __future__ import annotations

from devnet.keys import Key, key_of


class Folk:
    """Names to keys, all from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._by_name: dict[str, Key] = {}

    def key(self, name: str) -> Key:
        """The key of a name."""
        if name not in self._by_name:
            self._by_name[name] = key_of(self._seed, name)
        return self._by_name[name]

    def address(self, name: str) -> str:
        """The address of a name."""
        return self.key(name).address

    def provider(self, name: str) -> str:
        """The address of a provider."""
        return self.address(provider_name(name))

    def everybody(self) -> dict[str, Key]:
        """All keys made so far, by address."""
        return {key.address: key for key in self._by_name.values()}


def provider_name(name: str) -> str:
    """The name under which a provider is among the folk."""
    return f"provider/{name}"
