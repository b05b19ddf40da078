"""A text inside a file of another program's format, which shows as it did before.

A way in and a way out for each format; formats without one have a file beside them.
"""

import io
import json
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from html import unescape
from xml.sax.saxutils import escape

from PIL import Image

KEYWORD = "vae-explorer"
_SCRIPT = f'<script type="application/json" id="{KEYWORD}">'
_METADATA = f'<metadata id="{KEYWORD}">'
_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    f'xmlns:v="urn:{KEYWORD}"><v:about>'
)
_XMP_END = "</v:about></rdf:Description></rdf:RDF></x:xmpmeta>"
_PROPERTIES = b"\x72"  # field 14 of an ONNX model, of bytes

Embed = Callable[[bytes, str], bytes]
Extract = Callable[[bytes], str | None]


def _in_png(content: bytes, text: str) -> bytes:
    """After the header, with what people read in words by the keywords of the format."""
    told = json.loads(text)
    words = {"Software": told["program"], "Source": told["source"], "Warning": told["warning"]}
    texts = [
        (b"tEXt", key, b"\0", word.encode("latin-1", "replace"))
        for key, word in words.items()
        if word
    ]
    texts.append((b"iTXt", KEYWORD, b"\0" * 5, text.encode()))
    chunks = b""
    for name, key, parted, data in texts:
        body = name + key.encode() + parted + data
        chunks += struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:33] + chunks + content[33:]


def _of_png(content: bytes) -> str | None:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return _text(getattr(image, "text", {}).get(KEYWORD) or image.info.get(KEYWORD))


def _in_tiff(content: bytes, text: str) -> bytes:
    written = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        compression = image.info.get("compression", "tiff_lzw")
        dpi = image.info.get("dpi")
        size = {"dpi": tuple(map(float, dpi))} if dpi else {}
        image.save(written, "TIFF", compression=compression, description=text, **size)
    return written.getvalue()


def _of_tiff(content: bytes) -> str | None:
    with Image.open(io.BytesIO(content), formats=["TIFF"]) as image:
        return _text(image.tag_v2.get(270))  # type: ignore[attr-defined]


def _in_gif(content: bytes, text: str) -> bytes:
    table = 3 * 2 << (content[10] & 7) if content[10] & 0x80 else 0
    start = 13 + table
    data = text.encode()
    blocks = (data[at : at + 255] for at in range(0, len(data), 255))
    comment = b"\x21\xfe" + b"".join(bytes([len(one)]) + one for one in blocks) + b"\0"
    return b"GIF89a" + content[6:start] + comment + content[start:]


def _of_gif(content: bytes) -> str | None:
    with Image.open(io.BytesIO(content), formats=["GIF"]) as image:
        return _text(image.info.get("comment"))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack("<4sI", content[at : at + 8])
        yield name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _in_webp(content: bytes, text: str) -> bytes:
    chunks = [*_chunks(content)]
    if chunks[0][0] != b"VP8X":
        with Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
            width, height = image.size
            alpha = 0x10 if image.mode == "RGBA" else 0
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks.insert(0, (b"VP8X", bytes([alpha, 0, 0, 0]) + sides))
    features = chunks[0][1]
    chunks[0] = b"VP8X", bytes([features[0] | 4]) + features[1:]
    chunks.append((b"XMP ", f"{_XMP}{escape(text)}{_XMP_END}".encode()))
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _of_webp(content: bytes) -> str | None:
    packet = dict(_chunks(content)).get(b"XMP ", b"").decode(errors="replace")
    return unescape(packet[len(_XMP) : -len(_XMP_END)]) if packet.startswith(_XMP) else None


def _in_svg(content: bytes, text: str) -> bytes:
    start = content.index(b">", content.index(b"<svg")) + 1
    return content[:start] + f"\n{_METADATA}{escape(text)}</metadata>".encode() + content[start:]


def _of_svg(content: bytes) -> str | None:
    found = _between(content, _METADATA, "</metadata>")
    return None if found is None else unescape(found)


def _in_html(content: bytes, text: str) -> bytes:
    start = content.index(b"</head>")
    script = f"{_SCRIPT}{text.replace('<', chr(92) + 'u003c')}</script>\n"
    return content[:start] + script.encode() + content[start:]


def _of_html(content: bytes) -> str | None:
    return _between(content, _SCRIPT, "</script>")


def _in_pdf(content: bytes, text: str) -> bytes:
    """An update at the end, as the format foresees it: an object more, which the trailer names."""
    dictionary = content[content.rindex(b"trailer") :]
    size = re.search(rb"/Size (\d+)", dictionary)
    before = re.search(rb"startxref\s+(\d+)", dictionary)
    inner = re.search(rb"<<(.*?)>>\s*startxref", dictionary, re.DOTALL)
    if not (size and before and inner):
        raise ValueError("it has no trailer")
    number, at = int(size[1]), len(content) + 1
    kept = inner[1].replace(size[0], b"/Size %d" % (number + 1)).strip()
    added = b"\n%d 0 obj\n<%s>\nendobj\n" % (number, text.encode().hex().encode())
    table = b"xref\n%d 1\n%010d 00000 n \n" % (number, at)
    trailer = b"trailer\n<<\n%s\n/Prev %s\n/VAEExplorer %d 0 R\n>>\n" % (kept, before[1], number)
    end = b"startxref\n%d\n%%%%EOF\n" % (len(content) + len(added))
    return content + added + table + trailer + end


def _of_pdf(content: bytes) -> str | None:
    named = re.findall(rb"/VAEExplorer (\d+) 0 R", content)
    found = named and re.search(rb"\n%s 0 obj\n<([0-9a-f]*)>" % named[-1], content)
    return bytes.fromhex(found[1].decode()).decode() if found else None


def _in_safetensors(content: bytes, text: str) -> bytes:
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = header.get("__metadata__", {}) | {KEYWORD: text}
    # safetensors writes the metadata in an order of chance.
    written = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    written += b" " * (-len(written) % 8)
    return len(written).to_bytes(8, "little") + written + content[8 + size :]


def _of_safetensors(content: bytes) -> str | None:
    size = int.from_bytes(content[:8], "little")
    return _text(json.loads(content[8 : 8 + size]).get("__metadata__", {}).get(KEYWORD))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _in_onnx(content: bytes, text: str) -> bytes:
    """One more property at the end, which protocol buffers join to the others."""
    entry = b"".join(
        tag + _varint(len(data)) + data
        for tag, data in ((b"\x0a", KEYWORD.encode()), (b"\x12", text.encode()))
    )
    return content + _PROPERTIES + _varint(len(entry)) + entry


def _of_onnx(content: bytes) -> str | None:
    start = b"\x0a" + _varint(len(KEYWORD)) + KEYWORD.encode() + b"\x12"
    at = content.rfind(start)
    if at < 0:
        return None
    at += len(start)
    size = shift = 0
    while True:
        size |= (content[at] & 127) << shift
        shift, more, at = shift + 7, content[at] & 128, at + 1
        if not more:
            return content[at : at + size].decode()


def _in_parquet(content: bytes, text: str) -> bytes:
    from pyarrow import BufferReader, parquet

    table = parquet.read_table(BufferReader(content))
    metadata = {**(table.schema.metadata or {}), KEYWORD.encode(): text.encode()}
    written = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata(metadata), written)
    return written.getvalue()


def _of_parquet(content: bytes) -> str | None:
    from pyarrow import BufferReader, parquet

    found = (parquet.read_schema(BufferReader(content)).metadata or {}).get(KEYWORD.encode())
    return _text(found)


def _text(found: object) -> str | None:
    if isinstance(found, bytes):
        return found.decode()
    return str(found) if found else None


def _between(content: bytes, start: str, end: str) -> str | None:
    _, found, rest = content.decode(errors="replace").partition(start)
    return rest.partition(end)[0] if found else None


_WAYS: dict[str, tuple[Embed, Extract]] = {
    ".png": (_in_png, _of_png), ".apng": (_in_png, _of_png), ".tiff": (_in_tiff, _of_tiff),
    ".tif": (_in_tiff, _of_tiff), ".gif": (_in_gif, _of_gif), ".webp": (_in_webp, _of_webp),
    ".svg": (_in_svg, _of_svg), ".html": (_in_html, _of_html), ".pdf": (_in_pdf, _of_pdf),
    ".safetensors": (_in_safetensors, _of_safetensors), ".onnx": (_in_onnx, _of_onnx),
    ".parquet": (_in_parquet, _of_parquet),
}  # fmt: skip


FORMATS = tuple(_WAYS)
"""Suffixes of files that can carry a text."""


def holds_text(suffix: str) -> bool:
    """Whether files that end in ``suffix`` can carry a text; else it lies beside them."""
    return suffix.lower() in _WAYS


def embedded(content: bytes, suffix: str, text: str) -> bytes:
    """A file with an ASCII text in it that says how it was made."""
    return _WAYS[suffix.lower()][0](content, text)


def extracted(content: bytes, suffix: str) -> str | None:
    """The text in a file, None if it has none.

    Raises:
        Exception: the file is damaged, as its format's reader says.
    """
    return _WAYS[suffix.lower()][1](content)
