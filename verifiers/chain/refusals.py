"""What a node's refusal means: status, headers and body of an error answer to a member of the error family (pure).

Texts are matched by the few words that carry the meaning: protobuf's library varies spaces on purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from verifiers.chain.trouble import (
    BadRequest,
    DoesNotExist,
    IndexOff,
    Lagging,
    NotImplementedThere,
    NotIndexed,
    Pruned,
)
from verifiers.trouble import Denied, RateLimited, Redirected, ServerError, TooLarge, Trouble, WrongContentType

_NOT_FOUND = 5
_MAX_RETRY_SECONDS = 3600.0

_LOWEST = re.compile(r"height -?\d+ is not available, lowest height is (\d+)")
_LOWEST_RANGE = re.compile(r"min height (\d+) can't be greater than max height")
_TIP = re.compile(r"must be less than or equal to the current blockchain height (\d+)")
_RANGE = re.compile(
    r"requested height (-?\d+) but height must not be less than 1 or greater than the current height (\d+)"
)
_FORGOTTEN = ("failed to load state at height", "version does not exist", "could not find results for height",
              "not persisting finalize block responses", "not persisting abci responses")  # fmt: skip
_AHEAD = ("cannot query with height in the future", "requested block height is bigger then the chain length",
          "height in the future")  # fmt: skip
_OURS = ("decoding bech32 failed", "encoding/hex:", "height must be greater than 0", "invalid height header",
         "cannot query with height <", "query cannot be empty", "failed to search for txs", "page should be within",
         "unsupported return type", "string is not allowed to have the string delimiter", "tx parse error",
         "account sequence mismatch", "tx timeout height", "transaction hash cannot be empty",
         "expected order_by to be")  # fmt: skip
_QUERY_SYNTAX = re.compile(r"offset \d+: ")
_TX_UNKNOWN = re.compile(r"tx \([0-9A-Fa-f]+\) not found")


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Trouble | None:
    """The member of the error family for one answer, or `None` where the answer is none of an error.

    A 200 of the RPC that holds an error object counts as an error. HTTP 404 with code 5 alone is `DoesNotExist`;
    a pruned node's "not found" is `Pruned` (akash-recorded/README.md 1, akash-chain.md 1.1).
    """
    if status == 200 and not _has_rpc_error(body):
        return None
    if 300 <= status < 400:
        return Redirected(f"The host answers with a redirect ({status}). Configure the address it points to.")
    if status in {401, 403}:
        return Denied(f"The host refuses us ({status}). Check the address and its credentials.")
    if status == 429:
        return RateLimited("The host asks us to slow down (429). Waymark waits.", retry_after(headers))
    code, text = _error(body)
    return _by_text(status, code, text) or _by_status(status, code, text, body)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a `Retry-After` header; its date form is not used by nodes and reads as `None`."""
    text = headers.get("retry-after") or headers.get("Retry-After") or ""
    return min(float(text), _MAX_RETRY_SECONDS) if text.isascii() and text.isdigit() else None


def _has_rpc_error(body: bytes) -> bool:
    if not body.startswith(b'{"jsonrpc"') or b'"error"' not in body[:80]:
        return False
    return "error" in (_object(body) or {})


def _object(body: bytes) -> dict[str, object] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _error(body: bytes) -> tuple[int | None, str]:
    """Code and text, from the gateway's `{code, message}` or from a JSON-RPC error object."""
    read = _object(body) or {}
    inner = read.get("error")
    if isinstance(inner, dict):
        read = {**inner, "message": f"{inner.get('message', '')}: {inner.get('data', '')}"}
    code = read.get("code")
    message = str(read.get("message", "")).replace("\u00a0", " ")
    return (code if isinstance(code, int) else None), message


def _by_text(status: int, code: int | None, text: str) -> Trouble | None:
    if status == 404:
        return _not_there(code, text)
    if status == 501 or code == 12:
        return NotImplementedThere(
            "The node does not serve this path. Check that it speaks the API set in use: "
            "deployment v1beta4, market v1beta5 (chain versions 1.0 to 2.1)."
        )
    found = _LOWEST.search(text) or _LOWEST_RANGE.search(text)
    if found:
        return Pruned(f"The node keeps no block below {found[1]}. Ask an archive node.", int(found[1]))
    if any(words in text for words in _FORGOTTEN):
        return Pruned("The node no longer keeps the state of that height. Ask an archive node, or a newer height.")
    if "indexing is disabled" in text:
        return IndexOff("The node keeps no index of transactions. Ask another host, or read blocks instead.")
    return _by_height(text) or _by_question(status, code, text)


def _not_there(code: int | None, text: str) -> Trouble:
    if code == _NOT_FOUND:
        return DoesNotExist(f"The chain says it does not exist: {text}")
    return NotImplementedThere("The host has no such path (404 without code 5). Check its address and path.")


def _by_height(text: str) -> Trouble | None:
    found = _TIP.search(text)
    if found:
        return Lagging(f"The node stands at height {found[1]} and has not seen that block yet.", int(found[1]))
    ranged = _RANGE.search(text)
    if ranged:
        asked, tip = int(ranged[1]), int(ranged[2])
        if asked > tip:
            return Lagging(f"The node stands at height {tip} and has not seen that block yet.", tip)
        return BadRequest(f"There is no height {asked}.")
    if any(words in text for words in _AHEAD):
        return Lagging("The node has not reached that height yet.")
    return None


def _by_question(status: int, code: int | None, text: str) -> Trouble | None:
    if _TX_UNKNOWN.search(text):
        return NotIndexed("The node's index does not know that transaction. Ask REST by its hash.")
    if code == 8 and status != 500:
        return RateLimited(f"The node is out of resources: {_short(text)}. Waymark waits.")
    unclear = code in {-32602, -32600, -32700, -32601} or _QUERY_SYNTAX.search(text) is not None
    if unclear or any(words in text for words in _OURS):
        return BadRequest(f"The node refuses the question: {_short(text)}")
    return None


def _by_status(status: int, code: int | None, text: str, body: bytes) -> Trouble:
    if status == 413:
        return TooLarge("The host finds the question too large.")
    if status in {400, 405, 406, 414, 415, 422}:
        return BadRequest(f"The node refuses the question ({status}): {_short(text)}")
    if status < 500 and not body.lstrip().startswith(b"{"):
        return WrongContentType(f"The host answers {status} with something that is no JSON. Check its address.")
    named = f"{status}, code {code}" if code is not None else f"{status}"
    return ServerError(f"The host failed ({named}): {_short(text) or 'no text'}. Waymark tries again.", status)


def _short(text: str) -> str:
    """A host's text for a message: one line, bounded, nothing unprintable."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:300])
