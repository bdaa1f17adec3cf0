"""The file around the members: tar, zstd, and a seal over every byte. Reading trusts nothing that it reads.

A seal is a skippable frame of zstd behind the data, so that every tool that reads `.tar.zst` reads the archive:
magic number, length 64, the SHA-256 of all bytes before the frame in hex.
"""

from __future__ import annotations

import hashlib
import re
import struct
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from services.archive.format import BY_NAME, MANIFEST, REVISION_FILE, SCHEMA

LEVEL = 10
_BLOCK = 512
_CHUNK = 1 << 18
_PACKED_AT_ONCE = 512
_SEAL_HEAD = struct.pack("<II", 0x184D2A5E, 64)
_SEAL_BYTES = len(_SEAL_HEAD) + 64
_LARGEST_WINDOW = 1 << 27
_PLAIN_FILE = (b"0", b"\0")
_EXTRA_HEADERS = (b"x", b"g")
_FOLDER = b"5"
_OCTAL = re.compile(rb"[0-7]{1,11}")


class ArchiveRefused(Exception):
    """The file is no archive that can be read; the message says what is wrong with it and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading may cost. `inflation`: how many bytes one byte of the file may become, beyond the first 64 MiB."""

    whole_bytes: int = 16 << 30
    inflation: int = 2000
    members: int = 1000
    extra_header_bytes: int = 1 << 16


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The members as files in a folder of ours, by their names in the archive.

    `digest`: SHA-256 of the whole file. `is_sealed`: whether it carries a seal and the seal fits: else somebody has
    packed it again, and what the manifest says of its members is all that holds them.
    """

    files: Mapping[str, Path]
    digest: str
    is_sealed: bool


def pack(members: Sequence[tuple[str, Path]], out: BinaryIO) -> str:
    """Write one archive with these members in this order; returns the SHA-256 of the file, hex.

    The same members give the same bytes: no clock, no names of users, one thread, one level.
    """
    sink = _Digesting(out)
    compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=False)
    with compressor.stream_writer(cast("BinaryIO", sink), closefd=False) as packed:
        for name, path in members:
            size = path.stat().st_size
            packed.write(_header(name, size))
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    packed.write(chunk)
            packed.write(bytes(-size % _BLOCK))
        packed.write(bytes(2 * _BLOCK))
    sink.write(_SEAL_HEAD + sink.digest.hexdigest().encode())
    return sink.digest.hexdigest()


class _Digesting:
    """A file that is written to, and the digest of all that was written."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write all of it."""
        self.digest.update(data)
        self._out.write(data)
        return len(data)

    def flush(self) -> None:
        """Let it be flushed with the file itself."""


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    info.mode = 0o644
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def unpack(path: Path, folder: Path, limits: Limits | None = None) -> Unpacked:
    """Unpack an archive into `folder`, under names of ours; names in the archive are compared, never opened.

    Raises ArchiveRefused for anything that is no archive, is cut, is damaged, or costs more than the limits.
    """
    limits = limits or Limits()
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            is_sealed, digest = _check_seal(file, size)
            file.seek(0)
            files = _Reader(_Inflated(file, size - _SEAL_BYTES if is_sealed else size), folder, limits).read()
    except OSError as error:
        raise ArchiveRefused(f"{path} cannot be read: {error.strerror or error}") from error
    except zstandard.ZstdError as error:
        raise ArchiveRefused(f"{path} is damaged or no zstd file: {error}") from error
    return Unpacked(files, digest, is_sealed)


def _check_seal(file: BinaryIO, size: int) -> tuple[bool, str]:
    """Whether the file is sealed, and its digest. Raises ArchiveRefused for a seal that does not fit."""
    whole, before = hashlib.sha256(), hashlib.sha256()
    left, tail = max(size - _SEAL_BYTES, 0), b""
    while chunk := file.read(_CHUNK):
        whole.update(chunk)
        before.update(chunk[:left])
        tail += chunk[left:]
        left = max(left - len(chunk), 0)
    if not tail.startswith(_SEAL_HEAD):
        return False, whole.hexdigest()
    if tail[len(_SEAL_HEAD) :] != before.hexdigest().encode():
        raise ArchiveRefused("the file was changed after it was sealed: its bytes do not have the digest at its end")
    return True, whole.hexdigest()


class _Inflated:
    """The bytes of one zstd frame that fills the first `size` bytes of a file; `taken` counts what it took so far.

    Little goes in at a time, so that a bomb is noticed before it fills the memory.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left, self.taken = file, size, 0
        self._frame = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj()
        self._ready = memoryview(b"")

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end. Raises ArchiveRefused where the file ends before the frame does."""
        while not self._ready and not self._frame.eof:
            packed = self._file.read(min(_PACKED_AT_ONCE, self._left))
            if not packed:
                raise ArchiveRefused("the file is cut: it ends before its zstd frame does")
            self._left -= len(packed)
            self.taken += len(packed)
            self._ready = memoryview(self._frame.decompress(packed))
        data, self._ready = self._ready[:size], self._ready[size:]
        return bytes(data)

    def check_end(self) -> None:
        """Raises ArchiveRefused where something stands behind the frame."""
        if self._left or self._frame.unused_data:
            raise ArchiveRefused("its seal is damaged, or something was added behind its end")


class _Reader:
    """One pass over the tar: each member is checked by its header and copied; nothing is held in memory."""

    def __init__(self, stream: _Inflated, folder: Path, limits: Limits) -> None:
        self._stream, self._folder, self._limits = stream, folder, limits
        self._count = 0
        self._extra = 0

    def read(self) -> dict[str, Path]:
        """All members."""
        files: dict[str, Path] = {}
        for name, size in self._headers():
            if name in files:
                raise ArchiveRefused(f"the member {name} is there twice")
            if len(files) >= self._limits.members:
                raise ArchiveRefused(f"there are more than {self._limits.members:,} members")
            files[name] = self._folder / str(len(files))
            with files[name].open("wb") as out:
                self._copy(size, out.write, f"the member {name}")
        return files

    def _headers(self) -> Iterator[tuple[str, int]]:
        while True:
            block = self._take(_BLOCK)
            if not block.strip(b"\0"):
                self._finish(block)
                return
            name, size, kind = _parsed(block)
            if kind in _EXTRA_HEADERS:
                self._extra += size
                if self._extra > self._limits.extra_header_bytes:
                    raise ArchiveRefused("its extended tar headers are too long")
                self._copy(size, len, "an extended tar header")
            elif kind == _FOLDER and size == 0 and name.strip("/.") in ("", "campaign"):
                continue
            elif kind not in _PLAIN_FILE:
                raise ArchiveRefused(f"the member {name!r} is no plain file")
            else:
                yield _known(name), size

    def _take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            chunk = self._stream.read(size - len(data))
            if not chunk:
                raise ArchiveRefused("the file is cut: it ends before its tar does")
            data += chunk
        self._count += size
        self._check_cost()
        return data

    def _copy(self, size: int, write: Callable[[bytes], object], what: str) -> None:
        left = size
        while left:
            chunk = self._stream.read(min(left, _CHUNK))
            if not chunk:
                raise ArchiveRefused(f"the file is cut: it ends inside {what}")
            left -= len(chunk)
            self._count += len(chunk)
            self._check_cost()
            write(chunk)
        if padding := -size % _BLOCK:
            self._take(padding)

    def _check_cost(self) -> None:
        if self._count > self._limits.whole_bytes:
            raise ArchiveRefused(f"it unpacks to more than {self._limits.whole_bytes >> 30} GiB")
        if self._count > (64 << 20) + self._stream.taken * self._limits.inflation:
            raise ArchiveRefused("it is packed tighter than any real archive: a bomb")

    def _finish(self, block: bytes) -> None:
        """The end of the tar: zeros only."""
        while block:
            if block.strip(b"\0"):
                raise ArchiveRefused("there is something behind the end of its tar")
            block = self._stream.read(_CHUNK)
            self._count += len(block)
            self._check_cost()
        self._stream.check_end()


def _parsed(block: bytes) -> tuple[str, int, bytes]:
    """Name, size and kind of a tar header. Raises ArchiveRefused."""
    total = sum(block[:148]) + sum(block[156:]) + 8 * 32
    if block[257:262] != b"ustar" or _octal(block[148:156]) != total:
        raise ArchiveRefused("a tar header is damaged, or the file holds no tar")
    name = block[:100].partition(b"\0")[0].decode("utf-8", "replace")
    prefix = block[345:500].partition(b"\0")[0].decode("utf-8", "replace")
    return f"{prefix}/{name}" if prefix else name, _octal(block[124:136]), block[156:157]


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if _OCTAL.fullmatch(digits) is None:
        raise ArchiveRefused("a number in a tar header is damaged")
    return int(digits, 8)


def _known(name: str) -> str:
    """The member's name. Raises ArchiveRefused for one that no archive has, whatever it tries to reach."""
    plain = name.removeprefix("./")
    if plain in BY_NAME or plain in (MANIFEST, SCHEMA) or REVISION_FILE.fullmatch(plain):
        return plain
    raise ArchiveRefused(f"the member {name[:200]!r} does not belong in an archive")
