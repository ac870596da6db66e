"""Which 8-bit code page a text is in, told by the letters of the languages written in it.

General detectors cannot tell code pages of one script apart on a few lines of text: "à" in the
Western page is "ŕ" in the Central European one, and both are letters. But no one language uses
"ŕ", "ç" and "č" alike. So a reading is believed if one language has all its letters, if inside
words no capital follows a small letter and no symbol stands, and if no word mixes scripts.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

_PUNCTUATION = "“”‘’„…–—«»€£¥¢°·•§©®™±×½¼²³´¡¿№\xa0\xad"
_CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
_WESTERN = (
    "àâæçéèêëîïôœùûüÿ",  # French; English and Dutch borrow from it
    "äöüßé",  # German
    "áéíñóúüªº",  # Spanish
    "ãáâàçéêíóôõúªº",  # Portuguese
    "àèéìòóùî",  # Italian
    "åäöæøé",  # Danish, Finnish, Norwegian, Swedish
)
# In order: where two languages fit alike, the code page seen more often comes first.
_LANGUAGES = (
    *(("cp1252", letters) for letters in _WESTERN),
    # Hebrew reads as Cyrillic of small letters, but Cyrillic text has capitals and so no Hebrew.
    ("cp1255", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    ("cp1251", _CYRILLIC),
    ("cp1251", _CYRILLIC + "іїєґў"),  # Belarusian, Ukrainian
    ("cp1250", "ąćęłńóśźż"),  # Polish
    ("cp1250", "áčďéěíňóřšťúůýžäľĺôŕ"),  # Czech, Slovak
    ("cp1250", "áéíóöőúüű"),  # Hungarian
    ("cp1250", "čćđšž"),  # Bosnian, Croatian, Slovene
    ("cp1250", "âîăşţ"),  # Romanian
    ("iso8859-2", "ąćęłńóśźż"),
    ("iso8859-2", "áčďéěíňóřšťúůýžäľĺôŕ"),
    ("cp1254", "çğıöşüâîûiİ"),  # Turkish
    ("cp1252", "áéíóúýþæöð"),  # Icelandic
    ("cp1252", "".join(_WESTERN)),  # names of several languages
    ("koi8-r", _CYRILLIC),
    ("cp1253", "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"),
    ("cp1256", "".join(map(chr, range(0x621, 0x653))) + "پچژگ،؛؟"),
    ("cp1257", "ąčęėįšųūžāēģīķļņ"),  # Latvian, Lithuanian
    ("mac-roman", "".join(_WESTERN)),
    ("cp850", "".join(_WESTERN)),
    ("cp866", _CYRILLIC),
)
_SAMPLE = 1 << 16
_KNOWN_SHARE = 0.98

# A Latin letter beside a Greek, Cyrillic, Arabic ... one: "Prдsident" is a wrong reading.
MIXED_SCRIPTS = re.compile(
    r"[A-Za-z][\u0370-\u1dff\ufb1d-\ufefc]|[\u0370-\u1dff\ufb1d-\ufefc][A-Za-z]"
)
# No language written in Latin letters has that many accented ones in a row.
_ACCENTS_ONLY = re.compile(r"[\u00c0-\u024f]{4}")
# "®lu»oučký" is "Žluťoučký" in the wrong page; quotes, dashes and dots may stand between letters.
_SYMBOL_IN_WORD = re.compile(r"(?<=\w)[^\w\s\x00-\x7f‘’…–—·\xad](?=\w)")


def guess_code_page(data: bytes) -> str | None:
    """The code page in which `data` reads as one language, or None.

    Args:
        data: lines of text that hold bytes above 0x7F.
    """
    data = data[:_SAMPLE]
    readings = {code_page: _reading(data, code_page) for code_page, _ in _LANGUAGES}
    best, best_share = None, _KNOWN_SHARE
    for code_page, letters in _LANGUAGES:
        characters = readings[code_page]
        if characters:
            known = {*letters, *letters.upper(), *_PUNCTUATION}
            share = sum(characters[character] for character in known) / characters.total()
            if share > best_share:
                best, best_share = code_page, share
    return best


def _reading(data: bytes, code_page: str) -> Counter[str] | None:
    """How often each character beyond ASCII occurs in a reading of `data`, if it is plausible."""
    text = data.decode(code_page, "replace")
    if MIXED_SCRIPTS.search(text) or _ACCENTS_ONLY.search(text):
        return None
    characters = Counter(character for character in text if character > "\x7f")
    flips = sum(
        a.islower() and b.isupper() and (a > "\x7f" or b > "\x7f") for a, b in pairwise(text)
    )
    flips += len(_SYMBOL_IN_WORD.findall(text))
    return characters if flips <= (1 - _KNOWN_SHARE) * characters.total() else None
