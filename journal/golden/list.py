#!/usr/bin/env python3
"""Lists the journals of a golden directory, by FORMAT.md alone: what the tests compare with what the reader gives.

Usage: python3 journal/golden/list.py journal/golden/1
Writes listing.txt (each record), fields.txt (some fields, by offset) and ends.txt (durable mark, next number). Run once
when a directory is made; it shares no code with the journal, so that a common mistake cannot hide.
"""

import struct
import sys
from pathlib import Path

HEADER = struct.Struct("<IHHIIQQQQ")
SEGMENT = struct.Struct("<8sIIIIQQQ")

# Kind: fields as (name, offset, format). A number of 8 bytes or fewer; money has 16.
FIELDS = {
    1: [("instrument", 0, "<I"), ("exch_ns", 8, "<Q"), ("last", 16, "<Q"), ("turnover", 32, "<Q"),
        ("bids[4]", 208, "<Q"), ("ask_qtys[4]", 328, "<Q")],
    2: [("bid", 16, "<Q"), ("lower_limit", 72, "<Q")],
    7: [("symbol", 8, "<Q"), ("strike", 104, "<Q"), ("tradable", 168, "<B")],
    32: [("order_ref", 8, "<Q"), ("retry", 42, "<H"), ("revision", 80, "<Q")],
    33: [("session_id", 20, "<I"), ("traded", 64, "<Q"), ("request_id", 92, "<I")],
    34: [("price", 64, "<Q"), ("lots", 72, "<Q"), ("strategy", 92, "<I")],
    48: [("written_ns", 96, "<Q"), ("kind", 108, "<B")],
    52: [("available", 112, "<QQ")],
    65: [("config_hash", 16, "<Q"), ("after_clean_stop", 129, "<B")],
}


def table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


CRC = list(table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def fnv1a(data):
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = (digest ^ byte) * 0x100000001B3 % (1 << 64)
    return digest


def padded(size):
    return (size + 63) // 64 * 64


def number(data, offset, form):
    parts = struct.unpack_from(form, data, offset)
    value = parts[0] | (parts[1] << 64 if len(parts) == 2 else 0)
    # Two words are a signed number.
    return value - (1 << 128) if len(parts) == 2 and value >> 127 else value


def records(path):
    """Yields (position, header fields, body) of each record; returns durable mark and next number at the end."""
    durable, due = (0, 0), None
    for index, file in enumerate(sorted(path.glob("*.seg"))):
        data = file.read_bytes()
        magic, version, crc, _stage, own_index, first, capacity, _run = SEGMENT.unpack_from(data)
        assert magic == b"SHRIKE\x1aJ" and version == 1 and own_index == index, file
        assert crc == crc32c(data[:12] + bytes(4) + data[16:128]), file
        assert due is None or first == due or first >> 48 > due >> 48, file
        due = first if due is None else due
        mark = struct.unpack_from("<Q", data, 128)[0]
        if mark:
            offset = mark & 0xFFFFFFFF
            assert mark >> 32 == crc32c(struct.pack("<II", index, offset)) ^ 0xFFFFFFFF, file
            durable = (index, offset)
        at = 4096
        while at < capacity and at + 48 <= len(data):
            head = HEADER.unpack_from(data, at)
            length, kind, crc, seq = head[0], head[1], head[3], head[5]
            if length == 0:
                break
            whole = data[at : at + padded(length)]
            assert crc == crc32c(whole[:8] + bytes(4) + whole[12:]), (file, at)
            if kind == 0xFFFF:
                assert seq == due
                break
            assert seq == due or (seq >> 48 > due >> 48 and seq & (1 << 48) - 1 == 1), (file, at)
            yield f"{index:06}:{at}", head, whole[48:length]
            due = seq + 1
            at += padded(length)
    return durable, due


def main(golden):
    listing, fields, ends = [], [], []
    for path in sorted(path for path in golden.iterdir() if path.is_dir()):
        reading, seen = records(path), set()
        while True:
            try:
                place, head, body = next(reading)
            except StopIteration as end:
                (index, offset), due = end.value
                ends += [f"{path.name} {index:06}:{offset}", f"{path.name} {due:016x}"]
                break
            length, kind, version, crc, flags, seq, recv, taken, cause = head
            listing.append(
                f"{path.name} {place} seq={seq:016x} cause={cause:016x} kind={kind} version={version} flags={flags} "
                f"len={length} crc={crc:08x} recv={recv} taken={taken} body={fnv1a(body):016x}"
            )
            if kind in FIELDS and kind not in seen:
                seen.add(kind)
                fields += [
                    f"{path.name} {place} {kind} {name} {number(body, offset, form)}" for name, offset, form in FIELDS[kind]
                ]
    for name, lines in [("listing.txt", listing), ("fields.txt", fields), ("ends.txt", ends)]:
        (golden / name).write_text("\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} lines")


main(Path(sys.argv[1]))
