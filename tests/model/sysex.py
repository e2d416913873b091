"""SysEx frames of the live-sync channel: F0 7D op, 7-bit ASCII, F7; and finding them in a stream of MIDI bytes."""

from dataclasses import dataclass

BEGIN, MANUFACTURER, END = 0xF0, 0x7D, 0xF7
REAL_TIME_MIN = 0xF8
FRAME_BYTES_MAX = 64 << 10
VERSION_QUERY, VERSION = 0x02, 0x03
FIRMWARE_BEGIN, FIRMWARE_DATA, FIRMWARE_END = 0x21, 0x22, 0x23
HELLO, FULL, DELTA, BYE = range(0x40, 0x44)
NAK, ACK = 0x7E, 0x7F
FIELDS_OF_FULL = 6  # The last one, the patch, may have `;` in it.
FIELDS_OF_DELTA = 3


@dataclass(frozen=True)
class Frame:
    """A frame taken apart: `text` is what stands between op and F7."""

    op: int
    text: str

    def __bytes__(self):
        return bytes([BEGIN, MANUFACTURER, self.op]) + self.text.encode("ascii") + bytes([END])

    @property
    def origin(self):
        """Who says so, in the frames that say it."""
        return self.text.split(";")[0] if HELLO <= self.op <= BYE else None

    @property
    def seq(self):
        """The sender's number, of FULL and DELTA."""
        return int(self.text.split(";")[1]) if self.op in (FULL, DELTA) else None

    @property
    def event(self):
        """The evt of a DELTA, the patch of a FULL."""
        fields = {FULL: FIELDS_OF_FULL, DELTA: FIELDS_OF_DELTA}
        return self.text.split(";", fields[self.op] - 1)[-1] if self.op in fields else None


def hello(origin):
    return Frame(HELLO, origin)


def full(origin, seq, running, set_list, item, patch):
    return Frame(FULL, f"{origin};{seq};{int(running)};{set_list};{item};{patch}")


def delta(origin, seq, event):
    return Frame(DELTA, f"{origin};{seq};{event}")


def bye(origin):
    return Frame(BYE, origin)


def read_frame(data):
    """The Frame that these bytes are, or a text that says why they are none."""
    if len(data) < 4 or data[:2] != bytes([BEGIN, MANUFACTURER]) or data[-1] != END:
        return "not a frame"
    if any(byte > 0x7F for byte in data[2:-1]):
        return "not 7-bit"
    return Frame(data[2], data[3:-1].decode("ascii"))


class FrameStream:
    """Finds whole frames in MIDI bytes that arrive in any pieces. What is no SysEx is passed over."""

    def __init__(self):
        self._frame = bytearray()
        self.broken = 0  # Frames that another status byte, or their length, ended.

    def take(self, data):
        """The frames that these bytes complete, each from F0 to F7."""
        frames = []
        for byte in data:
            if byte >= REAL_TIME_MIN:
                continue  # It may stand anywhere, in the middle of a frame too.
            if byte == BEGIN:
                self._break()
                self._frame.append(byte)
            elif self._frame and byte == END:
                frames.append(bytes(self._frame) + bytes([END]))
                self._frame.clear()
            elif self._frame and byte > 0x7F:
                self._break()
            elif self._frame:
                self._frame.append(byte)
                if len(self._frame) >= FRAME_BYTES_MAX:
                    self._break()
        return frames

    def _break(self):
        self.broken += bool(self._frame)
        self._frame.clear()
