"""The file around the members: every flipped or missing byte is found, hostile files cost little and say why."""

from __future__ import annotations

import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.archive.container import ArchiveRefused, Limits, pack, unpack
from services.archive.verify import verify_archive
from services.house import House
from tests.archives import exported, lived_in_house, packed

SEAL = 72
NO_DEADLINE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    house: House = lived_in_house(tmp_path_factory.mktemp("house"))
    yield exported(house, tmp_path_factory.mktemp("archive") / "archive.tar.zst")
    house.ledger.close()


@NO_DEADLINE
@given(data=st.data())
def test_verify__any_byte_flipped__is_found(archive: Path, tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(archive.read_bytes())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    flipped = tmp_path / "flipped"
    flipped.write_bytes(raw)
    assert not verify_archive(flipped).is_ok


@pytest.mark.parametrize("place", [*range(12), *range(-SEAL, 0, 7)])
def test_verify__byte_of_head_or_seal_flipped__is_found(archive: Path, tmp_path: Path, place: int) -> None:
    for bit in range(8):
        raw = bytearray(archive.read_bytes())
        raw[place] ^= 1 << bit
        flipped = tmp_path / "flipped"
        flipped.write_bytes(raw)
        assert not verify_archive(flipped).is_ok, (place, bit)


@NO_DEADLINE
@given(data=st.data())
def test_verify__cut_anywhere__is_found(archive: Path, tmp_path: Path, data: st.DataObject) -> None:
    raw = archive.read_bytes()
    kept = data.draw(st.integers(0, len(raw) - 1).filter(lambda size: size != len(raw) - SEAL))
    cut = tmp_path / "cut"
    cut.write_bytes(raw[:kept])
    assert not verify_archive(cut).is_ok


def test_verify__cut_exactly_before_the_seal__is_whole_but_unsealed(archive: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(archive.read_bytes()[:-SEAL])
    report = verify_archive(cut)
    assert report.is_ok
    assert not report.is_sealed


@pytest.mark.parametrize("more", [b"\0", b"x" * 100, SEAL * b"\0"], ids=["a byte", "words", "zeros"])
def test_verify__something_behind_the_end__is_found(archive: Path, tmp_path: Path, more: bytes) -> None:
    longer = tmp_path / "longer"
    longer.write_bytes(archive.read_bytes() + more)
    assert not verify_archive(longer).is_ok


def tar_of(*entries: tarfile.TarInfo) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as out:
        for entry in entries:
            out.addfile(entry, io.BytesIO(bytes(entry.size)))
    return zstandard.ZstdCompressor().compress(raw.getvalue())


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


def bomb() -> bytes:
    """A member of 2 GiB of zeros in some 65 KB."""
    compressor = zstandard.ZstdCompressor(level=1, write_content_size=False).compressobj()
    parts = [compressor.compress(member("claims.jsonl", 2 << 30).tobuf(tarfile.USTAR_FORMAT))]
    parts += [compressor.compress(bytes(1 << 20)) for _ in range(2048)]
    return b"".join([*parts, compressor.flush()])


def lying_size() -> bytes:
    return zstandard.ZstdCompressor().compress(
        member("claims.jsonl", 7 << 30).tobuf(tarfile.USTAR_FORMAT) + bytes(99)
    )


def damaged_header() -> bytes:
    raw = bytearray(member("claims.jsonl").tobuf(tarfile.USTAR_FORMAT))
    raw[124] = ord("-")
    total = sum(raw[:148]) + sum(raw[156:]) + 8 * 32
    raw[148:156] = b"%06o\0 " % total
    return zstandard.ZstdCompressor().compress(bytes(raw) + bytes(1024))


def endless_extra_headers() -> bytes:
    raw = member("x", 1 << 20, tarfile.XHDTYPE).tobuf(tarfile.USTAR_FORMAT) + bytes(1 << 20)
    return zstandard.ZstdCompressor().compress(raw)


def large_window() -> bytes:
    """A frame that asks for a window of 1 GiB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(os.urandom(1 << 18)) + compressor.flush()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an empty file": (lambda: b"", "the file is cut"),
    "words": (lambda: b"these are words, no archive", "damaged or no zstd file"),
    "zstd of words": (lambda: zstandard.ZstdCompressor().compress(b"words" * 300), "holds no tar"),
    "a path out of the folder": (lambda: tar_of(member("../../etc/passwd", 9)), "does not belong in an archive"),
    "an absolute path": (lambda: tar_of(member("/tmp/claims.jsonl", 9)), "does not belong in an archive"),
    "a campaign path with dots": (lambda: tar_of(member("campaign/../x.yaml", 9)), "does not belong"),
    "a link": (lambda: tar_of(member("claims.jsonl", 0, tarfile.SYMTYPE, "/etc/passwd")), "is no plain file"),
    "a device": (lambda: tar_of(member("claims.jsonl", 0, tarfile.CHRTYPE)), "is no plain file"),
    "a member twice": (lambda: tar_of(member("claims.jsonl", 3), member("claims.jsonl", 3)), "is there twice"),
    "a negative size": (damaged_header, "a number in a tar header is damaged"),
    "a size beyond the end": (lying_size, "the file is cut: it ends inside the member claims.jsonl"),
    "long extra headers": (endless_extra_headers, "extended tar headers are too long"),
    "a bomb": (bomb, "a bomb"),
    "a tar of nothing": (tar_of, "no manifest.json"),
    "a large window": (large_window, "damaged or no zstd file"),
}


@pytest.mark.parametrize(("make", "words"), HOSTILE.values(), ids=HOSTILE)
def test_verify__hostile_file__says_why_in_little_memory(
    tmp_path: Path, make: Callable[[], bytes], words: str
) -> None:
    file = tmp_path / "hostile.tar.zst"
    file.write_bytes(make())
    tracemalloc.start()
    report = verify_archive(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [finding.place for finding in report.differences] == ["the file"]
    assert words in report.differences[0].message
    assert peak < 64 << 20
    assert list(tmp_path.iterdir()) == [file]


def test_unpack__more_than_the_limits_allow__is_refused(tmp_path: Path) -> None:
    file = packed({"claims.jsonl": bytes(5000), "totals.jsonl": b""}, tmp_path / "x.tar.zst")
    (tmp_path / "out").mkdir()
    with pytest.raises(ArchiveRefused, match="unpacks to more than"):
        unpack(file, tmp_path / "out", Limits(whole_bytes=4000))
    with pytest.raises(ArchiveRefused, match="more than 1 members"):
        unpack(file, tmp_path / "out", Limits(members=1))


@pytest.mark.parametrize("missing", ["nothing.tar.zst", "."], ids=["no file", "a folder"])
def test_verify__nothing_to_read__says_so(tmp_path: Path, missing: str) -> None:
    report = verify_archive(tmp_path / missing)
    assert "cannot be read" in report.differences[0].message


def test_pack__same_members__same_bytes_whenever(tmp_path: Path) -> None:
    path = tmp_path / "claims"
    path.write_bytes(b"{}\n" * 70_000)
    first, second = io.BytesIO(), io.BytesIO()
    digest = pack([("claims.jsonl", path), ("totals.jsonl", path)], first)
    os.utime(path, (1, 1))
    assert pack([("claims.jsonl", path), ("totals.jsonl", path)], second) == digest
    assert first.getvalue() == second.getvalue()


def test_unpack__made_by_tar_of_a_folder__is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.tar.zst"
    entries = (
        member(".", kind=tarfile.DIRTYPE),
        member("./campaign", kind=tarfile.DIRTYPE),
        member("./claims.jsonl", 3),
    )
    file.write_bytes(tar_of(*entries))
    (tmp_path / "out").mkdir()
    assert set(unpack(file, tmp_path / "out").files) == {"claims.jsonl"}
