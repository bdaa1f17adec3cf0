"""What a participant enters for an SDL written for others, checked and reduced (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from verifiers.codehost.links import PullRequest, read_link
from verifiers.evidence import Entry, EntryRefused, SubmittedSdl
from verifiers.sdl import SdlReport, check
from verifiers.sdl.parse import MAX_BYTES
from verifiers.sdl.submission import reduce_submission, secrets_in_submission
from verifiers.submitted.params import SubmissionParams

MOST_NAMED = 8


def entered_submission(fields: Mapping[str, str], params: SubmissionParams) -> Entry:
    """The claim that `sdl` and `pull_request` make. Raises EntryRefused with the field and how to mend it.

    The subject of a pull request ends with `:`; whoever asks the code host puts the file's path behind it.
    """
    text = fields.get("sdl", "").replace("\r\n", "\n")
    report = _valid(text)
    secrets = secrets_in_submission(text, report)
    if secrets:
        listed = "; ".join(f"line {each.line}: {each.sort}" for each in secrets[:MOST_NAMED])
        raise EntryRefused(
            "sdl",
            f"This SDL holds secrets, and its text would be shown to everybody: {listed}. Nothing of it was kept. "
            "Take them out (leave the value empty), and replace each secret that was ever in a public file.",
        )
    pull = _pull(fields.get("pull_request", "").strip(), params)
    reduced = json.dumps(reduce_submission(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    subject = f"{pull.name}:" if pull is not None else report.manifest_hashes[0]
    link = pull.link if pull is not None else ""
    return Entry(subject, {"pull_request": link} if link else {}, submission=SubmittedSdl(text, reduced, link))


def _valid(text: str) -> SdlReport:
    if not text.strip():
        raise EntryRefused("sdl", "Add the SDL: paste it, or choose its file.")
    if len(text) > MAX_BYTES:
        raise EntryRefused("sdl", f"An SDL has at most {MAX_BYTES // 1024} KiB.")
    report = check(text)
    if report.errors:
        shown = "; ".join(
            f"line {each.line}, {each.path or 'the file'}: {each.message}" for each in report.errors[:MOST_NAMED]
        )
        raise EntryRefused("sdl", f"This SDL is not valid: {shown}")
    if not report.manifest_hashes:
        raise EntryRefused("sdl", "The manifest hash of this SDL can't be worked out; make it smaller.")
    return report


def _pull(text: str, params: SubmissionParams) -> PullRequest | None:
    if not params.asks_pull_request:
        if text:
            raise EntryRefused("pull_request", "This task asks for no pull request: leave this field empty.")
        return None
    if not text:
        raise EntryRefused(
            "pull_request", f"Add the link of your pull request to {' or '.join(params.repositories)}."
        )
    try:
        return read_link(text, params.repositories)
    except ValueError as error:
        raise EntryRefused("pull_request", str(error)) from error
