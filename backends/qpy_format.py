"""The records of QPY files, versions 13 to 18, as far as their lengths go; and which versions are read.

Versions before 13 are refused unread: loading them evaluates expressions from the file.
"""

from __future__ import annotations

import struct

from backends.rejected import Rejected

VERSION_MIN = 13
VERSION_MAX = 18

FILE = struct.Struct("!6sBBBBQcc")
OFFSET = struct.Struct("!Q")
CIRCUIT = struct.Struct("!H1cHIIQIQI")
REGISTER_V4 = struct.Struct("!1c?IH?")
REGISTER_V18 = struct.Struct("!1c?IH?B")
VARIABLE = struct.Struct("!16scH")
COUNT_16 = struct.Struct("!H")
COUNT_32 = struct.Struct("!I")
COUNT_64 = struct.Struct("!Q")
NAMESPACE = struct.Struct("!IQ")
VECTOR = struct.Struct("!HQ16s")
DEFINITION = struct.Struct("!H1cII?QIIQ")
INSTRUCTION = struct.Struct("!HHHIIBHqII")
PARAMETER = struct.Struct("!1cQ")
RANGE = struct.Struct("!qqq")
MODIFIER = struct.Struct("!1cIId")
EVOLUTION = struct.Struct("!Q?1cQQ")
LAYOUT = struct.Struct("!?iiiIi")
LAYOUT_BIT = struct.Struct("!ii")

CONDITION_IS_EXPRESSION = 2
HAS_ANNOTATIONS = 0x80
OPAQUE_NAMES = frozenset({"Gate", "Instruction", "ControlledGate"})
EVOLUTION_PREFIX = "###PauliEvolutionGate_"


def version_of(content: bytes) -> int:
    """The QPY version the file says it has; refuses what is no QPY, too old or too new, naming both versions."""
    if len(content) < FILE.size or content[:6] != b"QISKIT":
        detail = "this is no QPY file: it does not begin with QISKIT; send what qpy.dump wrote"
        raise Rejected("circuit_invalid", detail, {})
    version = content[6]
    if version < VERSION_MIN:
        detail = (
            f"QPY version {version} is not read here because loading it can run code from the file; "
            f"write it again with version {VERSION_MIN} to {VERSION_MAX} (Qiskit 1.3 or newer)"
        )
        raise Rejected("payload_unsupported", detail, {"version": version, "version_min": VERSION_MIN})
    if version > VERSION_MAX:
        detail = (
            f"QPY version {version} is newer than version {VERSION_MAX}, the newest read here; "
            f"write it with qpy.dump(..., version={VERSION_MAX})"
        )
        raise Rejected("payload_unsupported", detail, {"version": version, "version_max": VERSION_MAX})
    return version
