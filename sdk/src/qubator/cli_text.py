"""Text for an 80-column terminal: tables, histograms, name and value lines. Pure functions, no colours needed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from qubator.money import instant

_LEAST = 6


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, right: Sequence[int] = ()) -> list[str]:
    """Lines of an aligned table. To keep `width` the last column is cut first, then the widest others; never the first
    one, which holds the ids."""
    cells = [[clean(text) for text in row] for row in (headers, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        last = len(widths) - 1
        column = last if widths[last] > _LEAST else max(range(1, last), key=lambda place: widths[place], default=0)
        if column == 0 or widths[column] <= _LEAST:
            break
        widths[column] -= 1
    lines = []
    for row in cells:
        texts = [
            cut(text, size).rjust(size) if place in right else cut(text, size).ljust(size)
            for place, (text, size) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(texts).rstrip())
    return lines


def table_or_blocks(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, right: Sequence[int] = ()
) -> list[str]:
    """A table where it fits `width`; else each row as name and value lines: ids and amounts are never cut."""
    lines = table(headers, rows, width=1_000_000, right=right)
    if max(map(len, lines)) <= width:
        return lines
    blocks = [pairs(dict(zip(map(str.lower, headers), row, strict=True)), width=width) for row in rows]
    return [line for number, block in enumerate(blocks) for line in ([""] if number else []) + block]


def cut(text: str, size: int) -> str:
    """`text` in at most `size` characters, the cut marked by "…"."""
    return text if len(text) <= size else text[: size - 1] + "…"


def clean(text: str) -> str:
    """`text` on one line and without control characters: names come from other people."""
    return "".join(letter if letter.isprintable() else "�" if letter not in "\n\t" else " " for letter in text)


def pairs(values: Mapping[str, object], *, width: int) -> list[str]:
    """ "name   value" lines, the names in one column, long values wrapped; empty values are left out."""
    shown = {name: clean(str(value)) for name, value in values.items() if value not in (None, "", [], {}, ())}
    size = max((len(name) for name in shown), default=0) + 2
    lines = []
    for name, value in shown.items():
        wrapped = textwrap.wrap(value, max(20, width - size), break_long_words=True) or [""]
        lines.append(f"{name:<{size}}{wrapped[0]}")
        lines += [" " * size + more for more in wrapped[1:]]
    return lines


def histogram(counts: Mapping[str, int], *, width: int, most: int = 20, bar: str = "█") -> list[str]:
    """One line per outcome, most frequent first: outcome, count, share, bar; the rest is summed up in the last line."""
    total = sum(counts.values())
    if not total:
        return ["no outcomes"]
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    shown, rest = ordered[:most], ordered[most:]
    digits = len(str(ordered[0][1]))
    room = max(10, width - digits - 20)
    label = min(max(len(outcome) for outcome, _ in shown), room)
    space = max(4, width - label - digits - 12)
    lines = []
    for outcome, count in shown:
        length = max(1, round(space * count / ordered[0][1]))
        lines.append(f"{middle_cut(outcome, label):<{label}}  {count:>{digits}}  {count / total:6.1%}  {bar * length}")
    if rest:
        lines.append(f"and {len(rest)} more outcomes with {sum(count for _, count in rest)} shots together")
    return lines


def middle_cut(text: str, size: int) -> str:
    """`text` in at most `size` characters, cut in the middle (both ends of a bit string tell something)."""
    if len(text) <= size:
        return text
    head = (size - 1) // 2
    return f"{text[:head]}…{text[len(text) - (size - 1 - head) :]}"


def count(number: int, word: str) -> str:
    """ "1 shot", "1,024 shots", "5 ms"."""
    return f"{number:,} {word}" if number == 1 or word == "ms" else f"{number:,} {word}s"


def moment(us: int | None) -> str:
    """A time in microseconds since 1970 as local date and time to the second; "" for None."""
    if us is None:
        return ""
    at = instant(us)
    try:
        return "after 9999" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):  # the last hours of that year, in a zone that is ahead
        return "after 9999"


def duration(us: int | None) -> str:
    """Microseconds for people: "850 µs", "12.3 ms", "4.2 s", "3 min 20 s"."""
    if us is None:
        return ""
    if us < 1_000:
        return f"{us} µs"
    if us < 1_000_000:
        return f"{us / 1e3:.1f} ms"
    if us < 120_000_000:
        return f"{us / 1e6:.1f} s"
    minutes, seconds = divmod(round(us / 1e6), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
