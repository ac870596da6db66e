"""When and where a document says it was published: metadata values, datelines and date lines.

Only what the document itself states counts. A date inside a running sentence or a photo caption
is part of the story, not its publication date, and a file's modification time is never asked.
Month names are English. Place names that may stand alone follow the Associated Press Stylebook
("Datelines"): every other city carries its state or country.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?,?\s+)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_ZONE = r"(?:\s*(?:z|[+-]\d{2}:?\d{2}|\(?[a-z]{2,5}\)?)\b\)?)"
_CLOCK = (
    rf"(?:\d{{1,2}}[:.]\d{{2}}(?:[:.]\d{{2}}(?:[.,]\d+)?)?\s*(?:[ap]\.?m\b\.?)?"
    rf"|\d{{1,2}}\s*[ap]\.?m\b\.?){_ZONE}{{0,2}}"
)
_WRITTEN = (
    rf"{_WEEKDAY}?(?:(?P<m1>{_MONTH})\s+(?P<d1>{_DAY})\s*,?\s+(?P<y1>\d{{4}})"
    rf"|(?P<d2>{_DAY})\.?[\s-]+(?:of\s+)?(?P<m2>{_MONTH}),?[\s-]+(?P<y2>\d{{4}}))\b"
)
_ISO = r"(?P<iso>\d{4}(?P<sep>[-/.:])\d{1,2}(?P=sep)\d{1,2})"
_NUMERIC = r"(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<y>\d{4})"
_BEFORE = rf"\s*(?:{_CLOCK}\s*,?\s+(?:on\s+)?)?(?:{_WEEKDAY})?"
_AFTER = rf"(?:(?:\s*[,|–—-]|\s+at|t)?\s*{_CLOCK})?\s*(?:local time)?\s*"
_FULL_DATE = re.compile(rf"{_BEFORE}(?:{_WRITTEN}|{_ISO}|{_NUMERIC}){_AFTER}", re.IGNORECASE)
_COMPACT = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})(?:(?:T\d{4}|T?\d{6})(?:\.\d+)?)?(?:Z|[+-].*)?")
_CTIME = re.compile(r"[a-z]{3} ([a-z]{3}) +(\d{1,2}) [\d:]{5,8}.* (\d{4})", re.IGNORECASE)
_DIGITS = re.compile(r"\d{9,16}(?:\.\d+)?")
_RFC_2822 = re.compile(r"(?:[a-z]{3}, *)?\d{1,2} [a-z]{3} \d{2,4} .*", re.IGNORECASE)


def parse_date(value: object) -> date | None:
    """The calendar day that a metadata value states, or None.

    Takes `date` and `datetime` objects and text or numbers in ISO 8601, RFC 2822, ctime, PDF
    ("D:20230919...") and written English forms, `2023/09/19`, `20230919`, and seconds, milli- or
    microseconds since 1970 (UTC). The day is kept as written: a time zone never moves it. A day
    and month in digits ("03/04/2023") are None unless one of them exceeds 12 or both are equal.
    Years before 1400 or more than two ahead of today are taken for mistakes: None.
    """
    if isinstance(value, datetime):
        return _checked(value.year, value.month, value.day)
    if isinstance(value, date):
        return _checked(value.year, value.month, value.day)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value).strip()[:100]
    if match := _COMPACT.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
        if found := _checked(year, month, day):
            return found
    if _DIGITS.fullmatch(text):
        return _from_epoch(float(text))
    if match := _FULL_DATE.fullmatch(text):
        return _from_match(match)
    if match := _CTIME.fullmatch(text):
        return _checked(int(match[3]), _month(match[1]), int(match[2]))
    if _RFC_2822.fullmatch(text) and (fields := email.utils.parsedate(text)):
        return _checked(*fields[:3])
    return None


def _from_epoch(seconds: float) -> date | None:
    for scale in (1, 1e3, 1e6):
        if 1e8 <= seconds / scale < 1e10:
            day = datetime.fromtimestamp(seconds / scale, UTC)
            return _checked(day.year, day.month, day.day)
    return None


def _from_match(match: re.Match[str]) -> date | None:
    parts = match.groupdict()
    for order in ("1", "2"):
        if year := parts.get(f"y{order}"):
            day = re.sub(r"\D", "", parts[f"d{order}"])
            return _checked(int(year), _month(parts[f"m{order}"]), int(day))
    if parts.get("iso"):
        return _checked(*(int(part) for part in re.split(r"\D", parts["iso"])))
    if not parts.get("y"):
        return None
    first, second = int(parts["a"]), int(parts["b"])
    if first != second and max(first, second) <= 12:
        return None
    return _checked(int(parts["y"]), min(first, second), max(first, second))


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1 if name[:3].lower() in _MONTHS else 0


def _checked(year: int, month: int, day: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if 1400 <= year <= date.today().year + 2 else None


@dataclass(frozen=True, slots=True)
class Dateline:
    """Where and when a story says it was filed; `text[start:end]` is where it says so.

    `published` is None when the dateline has no full date ("WASHINGTON (AP) —"), `place` is as
    written, region included ("NAIROBI, Kenya"), or None.
    """

    published: date | None
    place: str | None
    start: int
    end: int
    origin: Literal["dateline", "date line"]


# How far down a dateline may stand: below a headline, a byline and a photo caption or two.
_TOP = 2_000
# From here on a paragraph is running text and no headline, byline or summary.
_PROSE = 160

_AGENCIES = (
    "AP|Associated Press|AFP|Agence France-Presse|Reuters|Thomson Reuters Foundation|UPI|Xinhua"
    "|TASS|Itar-TASS|ITAR-TASS|RIA|RIA Novosti|Sputnik|Interfax|dpa|DPA|Yonhap|KCNA|Kyodo|Jiji"
    "|Bloomberg|ANSA|EFE|PTI|IANS|ANI|UNI|CNN|CNBC|BBC|VOA|RFE|RFE/RL|RFA|CNA|CNS|RNS|JTA|WAM"
    "|IRNA|SPA|QNA|KUNA|MENA|PNA|APP|Bernama|Antara|MTI|PAP|CTK|Tanjug|Ukrinform|Anadolu|AA|AAP"
    "|CP|The Canadian Press|PA|NYT|KUNM|IPS|IRIN|GLOBE NEWSWIRE|BUSINESS WIRE|Business Wire"
    "|PRNewswire|PR Newswire|ACCESSWIRE|Newsfile Corp|MarketWatch"
)
# The Associated Press's cities that stand alone, and capitals and cities as plain.
_ALONE = frozenset(
    name.replace("_", " ")
    for name in """
    ATLANTA BALTIMORE BOSTON CHICAGO CINCINNATI CLEVELAND DALLAS DENVER DETROIT HONOLULU HOUSTON
    INDIANAPOLIS LAS_VEGAS LOS_ANGELES MIAMI MILWAUKEE MINNEAPOLIS NEW_ORLEANS NEW_YORK
    OKLAHOMA_CITY PHILADELPHIA PHOENIX PITTSBURGH ST._LOUIS SALT_LAKE_CITY SAN_ANTONIO SAN_DIEGO
    SAN_FRANCISCO SEATTLE WASHINGTON UNITED_NATIONS
    AMSTERDAM BAGHDAD BANGKOK BEIJING BEIRUT BERLIN BRUSSELS CAIRO DJIBOUTI DUBLIN GENEVA GIBRALTAR
    GUATEMALA_CITY HAVANA HELSINKI HONG_KONG ISLAMABAD ISTANBUL JERUSALEM JOHANNESBURG KABUL
    KUWAIT_CITY LONDON LUXEMBOURG MACAU MADRID MEXICO_CITY MILAN MONACO MONTREAL MOSCOW MUNICH
    NEW_DELHI PANAMA_CITY PARIS PRAGUE QUEBEC_CITY RIO_DE_JANEIRO ROME SAN_MARINO SAO_PAULO
    SHANGHAI SINGAPORE STOCKHOLM SYDNEY TOKYO TORONTO VATICAN_CITY VIENNA ZURICH
    ABIDJAN ABU_DHABI ABUJA ACCRA ADDIS_ABABA ALGIERS AMMAN ANKARA ATHENS BAKU BAMAKO BELGRADE
    BERN BOGOTA BOGOTÁ BRASILIA BRASÍLIA BRATISLAVA BUCHAREST BUDAPEST BUENOS_AIRES CANBERRA
    CARACAS COLOMBO COPENHAGEN DAKAR DAMASCUS DELHI DHAKA DOHA DUBAI GAZA GAZA_CITY HANOI HARARE
    JAKARTA KAMPALA KARACHI KATHMANDU KHARTOUM KIEV KIGALI KINSHASA KUALA_LUMPUR KYIV LA_PAZ LAGOS
    LAHORE LIMA LISBON LJUBLJANA LUANDA LUSAKA MANAGUA MANILA MAPUTO MINSK MOGADISHU MONTEVIDEO
    MUMBAI MUSCAT NAIROBI NICOSIA OSLO OTTAWA PHNOM_PENH PORT-AU-PRINCE PRETORIA PYONGYANG QUITO
    RABAT RANGOON REYKJAVIK RIGA RIYADH SAN_SALVADOR SANAA SANTIAGO SANTO_DOMINGO SÃO_PAULO
    SARAJEVO SEOUL SKOPJE SOFIA TAIPEI TALLINN TASHKENT TBILISI TEGUCIGALPA TEHRAN TEL_AVIV TIRANA
    TRIPOLI TUNIS ULAANBAATAR VILNIUS WARSAW WELLINGTON YANGON YEREVAN ZAGREB
    """.split()
)
_NEVER_A_PLACE = frozenset(
    """ADVISORY ALERT ANALYSIS BREAKING CHAPTER CORRECTED CORRECTION EDITORIAL EXCLUSIVE FACTBOX
    FEATURE INTERVIEW LIVE MEMO MORE NEWS NOTE OPINION PHOTO PHOTOS PUBLISHED RELEASE REPORT SECTION
    SOURCE STATEMENT TIMELINE UPDATE UPDATED URGENT VIDEO WATCH WARNING""".split()
)

# "de" in "RIO de JANEIRO" and the small start of "McALLEN" do not make a place lower case.
_PARTICLES = frozenset("d da de del des di do dos du el al la las le los of sur und".split())
_UPPER_WORD = re.compile(r"(?:Mc|Mac|De|Du|La|Le|O[’']|[Aa]l-)?[^\W\d_a-zß-öø-ÿ]+")
_NOT_IN_PLACES = frozenset(
    "a an as at by date for from in is on photo since the to until when".split()
)
_AGENCY_AT_END = re.compile(
    rf"\s*(?:--|[—–])?\s*[(/\[]\s?(?:{_AGENCIES})\b[^()/\[\]]{{0,30}}[)/\]]$"
    # After a date any initialism or name is an agency's: nobody can list them all.
    r"|(?<=\d)\s*[(/\[][A-Z](?:[A-Z/&.-]{1,9}|[\w.’'-]+(?: [A-Z][\w.’'-]*){0,3})[)/\]]$"
)
_DATE_AT_END = re.compile(
    rf"(?:^|[\s,(]+)(?:(?P<full>{_WRITTEN}|{_ISO})"
    rf"|(?P<short>{_WEEKDAY}?(?:{_MONTH}\s+{_DAY}|{_DAY}\.?\s+{_MONTH})))\)?[.,]?$",
    re.IGNORECASE,
)
# The dash that ends a dateline, in wire copy also "_"; some papers write a colon, TASS a stop.
_DASH = re.compile(r"\s*(?:--+|[—–]|(?<=[\s).])_|(?<=[\s).])-(?=\s|$)|:(?=\s)|(?<=/)\.|\s*$)")
_MARKUP = ' \t*_“"'


def find_dateline(text: str) -> Dateline | None:
    """The news dateline at the top of `text`, or else its date line, or None.

    A dateline opens a paragraph with a place, a date or an agency, and a dash: "SEOUL, Sept 19,
    2023 (AFP) –". A date line is a line that holds a date and nothing but a byline, a time or
    "Published": "By Jane Doe | September 5, 2023". Where the two are both present, the result has
    the dateline's place and whichever full date there is, the dateline's first. Both are looked
    for in the first 2,000 characters only, a date line only above the second paragraph of prose.
    """
    top = text[:_TOP]
    dateline = _find_dateline(top)
    if dateline and dateline.published:
        return dateline
    date_line = _find_date_line(top)
    if date_line and dateline:
        return Dateline(
            date_line.published, dateline.place, date_line.start, date_line.end, "date line"
        )
    return date_line or dateline


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Every line of `text` with its offset."""
    offset = 0
    for line in text.split("\n"):
        yield offset, line
        offset += len(line) + 1


def _find_dateline(top: str) -> Dateline | None:
    for offset, line in _lines(top):
        opening = line[:140]
        start = len(opening) - len(opening.lstrip(_MARKUP))
        for dash in _DASH.finditer(opening, start):
            at_line_end = not dash.group().strip()
            if at_line_end and len(line) > len(opening):
                break
            head = opening[start : dash.start()].rstrip(_MARKUP)
            if found := _parse_head(head, ":" in dash.group(), at_line_end):
                published, place = found
                return Dateline(
                    published, place, offset + start, offset + start + len(head), "dateline"
                )
    return None


def _parse_head(
    head: str, before_colon: bool, at_line_end: bool
) -> tuple[date | None, str | None] | None:
    """Date and place if `head`, the words before a dash, is a dateline: PLACE, DATE (AGENCY)."""
    if head.count("(") != head.count(")"):  # "Nathan Hale (June 6, 1755 – September 22, 1776)"
        return None
    agency = _AGENCY_AT_END.search(head)
    rest = head[: agency.start()] if agency else head
    day = _DATE_AT_END.search(rest)
    published = _from_match(day) if day else None
    place = (rest[: day.start()] if day else rest).strip(_MARKUP + ",")
    if not place:
        return (published, None) if agency and published else None
    case = _place_case(place)
    named_or_dated = bool(agency or (day and not before_colon))
    if case == "upper":
        if named_or_dated and (agency or published or not at_line_end):
            return published, place
        if not at_line_end and (_stands_alone(place) or ("," in place and not before_colon)):
            return published, place
    if case == "capitalised" and not at_line_end and (agency or (published and named_or_dated)):
        return published, place
    return None


def _place_case(place: str) -> Literal["upper", "capitalised"] | None:
    """Whether `place` may be a place: at most three capitalised names set off by commas."""
    names = place.split(",")
    words = re.split(r"[\s/]+", names[0].strip())
    if len(place) > 60 or len(names) > 3 or any(len(name.split()) > 5 for name in names):
        return None
    if re.search(r"[^\w\s.,’'/()-]|\d", place) or any(
        word.upper() in _NEVER_A_PLACE or word.lower() in _NOT_IN_PLACES for word in words
    ):
        return None
    if not all(name.strip()[:1].isupper() for name in names):
        return None
    if all(
        word in _PARTICLES or all(map(_UPPER_WORD.fullmatch, re.findall(r"[^\W_]+", word)))
        for word in words
    ):
        return "upper" if sum(letter.isupper() for letter in names[0]) > 1 else None
    if all(word[:1].isupper() or word in _PARTICLES for word in words):
        return "capitalised"
    return None


def _stands_alone(place: str) -> bool:
    return " ".join(place.split()) in _ALONE


_DATE_AT_LINE_END = re.compile(rf"(?:^|(?<=[\s:,(\[*_])){_FULL_DATE.pattern}$", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:(?P<late>(?:last )?(?:updated|modified|revised|edited))"
    r"|(?:first |originally )?(?:published|posted|created|filed|issued|released|written|dated?"
    r"|publication date|release date|date of (?:publication|issue)|for immediate release)"
    r"|by\b.{2,60}?)(?:\s+by\b.{2,60}?)?\s*[:,]?(?:\s+on)?:?\s*",
    re.IGNORECASE,
)
# "Jane Doe, September 5, 2023" or "London, 5 September 2023"
_SIGNATURE = re.compile(r"[^\W\d_a-z][\w.’'-]*(?: [^\W\d_a-z][\w.’'-]*){0,3},\s*")
_SEGMENT = re.compile(r"\s*[|•·]\s*|\s+[—–-]+\s+|\t+|\s{3,}")
_SENTENCE_PART = re.compile(r"(?!(?:by|on|updated|posted|published)\b)[a-zß-öø-ÿ]")
# A date after one of these words, or before a lower-case one, is a wrapped line of a sentence.
_RUNS_ON = re.compile(
    r"(?:,|\b(?:on|in|of|the|and|or|from|until|till|to|by|since|between|before|after|dated|around"
    r"|last|next|early|late|for|at|that|was|is))\s*$",
    re.IGNORECASE,
)


def _find_date_line(top: str) -> Dateline | None:
    bare: list[Dateline] = []
    updated: Dateline | None = None
    prose = 0
    before = ""
    paragraph = 0
    lines = list(_lines(top))
    for number, (offset, line) in enumerate(lines):
        paragraph = paragraph + len(line) if line.strip() else 0
        if paragraph >= _PROSE and paragraph - len(line) < _PROSE:
            prose += 1
        if prose > 1:
            break
        after = lines[number + 1][1] if number + 1 < len(lines) else ""
        runs_on = bool(_RUNS_ON.search(before)) or after[:1].islower()
        before = line
        if runs_on or not 8 <= len(line.strip()) <= 120:
            continue
        for label, published, start, end in _dates_of(line):
            found = Dateline(published, None, offset + start, offset + end, "date line")
            if label == "published":
                return found
            if label == "updated":
                updated = updated or found
            else:
                bare.append(found)
    # Several different dates standing alone head the entries of a diary or a chronicle.
    if len({found.published for found in bare}) == 1:
        return bare[0]
    return updated


def _dates_of(line: str) -> Iterator[tuple[str, date, int, int]]:
    """The dates a date line states: label ("published", "updated" or ""), day, start, end."""
    pieces = []
    at = 0
    for gap in (*_SEGMENT.finditer(line), None):
        pieces.append((at, line[at : gap.start() if gap else len(line)]))
        at = gap.end() if gap else at
    if any(len(piece) > 60 or _SENTENCE_PART.match(piece) for _, piece in pieces):
        return
    for offset, piece in pieces:
        end = len(piece.rstrip(_MARKUP + ")]"))
        match = _DATE_AT_LINE_END.search(piece[:end])
        published = _from_match(match) if match else None
        if not match or not published:
            continue
        lead = piece[: match.start()].strip(_MARKUP + "([")
        label = _LABEL.fullmatch(lead)
        if label or not lead or _signs(lead):
            start = offset + match.start() + len(match[0]) - len(match[0].lstrip())
            name = ("updated" if label["late"] else "published") if label else ""
            yield name, published, start, offset + end


def _signs(lead: str) -> bool:
    first = re.match(r"\w*", lead)
    return bool(_SIGNATURE.fullmatch(lead) and first and first[0].lower() not in _NOT_IN_PLACES)
