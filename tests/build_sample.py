"""Regenerate the sample's PDF and DOCX from the text below: `python tests/build_sample.py [DIR]`.

The same library versions write the same bytes: every time stamp is fixed.
"""

from __future__ import annotations

import io
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from docx import Document
from fpdf import FPDF

SAMPLE = Path(__file__).parent.parent / "qa" / "sample"

MINUTES_NAME = "2024-12-12-council-minutes.pdf"
MINUTES_TITLE = "Port Ellery Town Council: minutes of the ordinary meeting of 12 December 2024"
MINUTES_WRITTEN = datetime(2024, 12, 16, 9, 30, tzinfo=UTC)

# A line starting with "# " is set as a heading. The PDF's core fonts know Latin-1 only.
MINUTES_PAGES = (
    """\
# Port Ellery Town Council
# Minutes of the ordinary meeting of Thursday, 12 December 2024

Held in the Council Chamber, Rope Walk, Port Ellery. The meeting opened at 7 p.m.

In the chair: Mayor Dorothea Quill. Present: thirteen of the fifteen members. Apologies were
received from Councillor Ambrose Teague and Councillor Nadia Rostrum.

# 1. Minutes of the last meeting

The minutes of 14 November were approved without amendment.

# 2. Land for the bridge ramp

Councillor Petra Winslade moved that the former ropeworks at Cape Morrow, 3.4 hectares, be sold
to the Joint Crossing Commission for 8.2 million crowns. Councillor Gideon Marsh spoke against
the motion because the valuation dated from 2019 and land on the cape had become dearer since.
The motion was carried by 9 votes to 4.

# 3. Ferry timetable

Ms Corinne Abelard of Ellery Sound Lines reported that the Kestrel Bay would stay in dry dock
until the beginning of April. With two boats left, there will be a sailing every 90 minutes
instead of every hour from 6 January. Councillor Marsh asked whether fares would rise.
Ms Abelard replied that they would, by 15 per cent.
""",
    """\
# 4. Memorial

The council resolved to pay for an oak bench at Tamsin Bay in memory of the three people who
died on the Kestrel Bay. A sum of 40,000 crowns was set aside. The bench is to be unveiled on
the first anniversary of the accident.

# 5. Questions from the public

The clerk was asked to publish the procedure once more. A resident who wishes to put a question
hands it in, in writing, at the town hall by noon on the Monday before the meeting. Each
questioner has three minutes and may ask one further question. The reply is given on the spot
or, where figures are needed, by letter within fourteen days.

# 6. Harbour lights

The fog lamps on the east mole will be replaced in February at a cost of 126,500 crowns, since
pilots had complained that they could not be told apart from the sign of the Capstan tavern.

# 7. Any other business

The mayor reported that the trawlers Gannet and Lise Marie had left port on 2 December after
their owner paid the fine. Governor Tobias Wrenfield has accepted an invitation to address the
council on 23 January.

The meeting closed at 9.35 p.m. The next meeting will be held on 9 January 2025.

Wilf Tansley, Town Clerk
""",
)

REPORT_NAME = "2025-03-14-kestrel-bay-inquiry.docx"
REPORT_TITLE = "The grounding of the ferry Kestrel Bay: summary of the final report"
REPORT_WRITTEN = datetime(2025, 3, 14, 10, 0, tzinfo=UTC)

# (style, text) in order; the vessel's table follows the paragraph it is named after.
REPORT_PARAGRAPHS = (
    ("Normal", "Marine Safety Inquiry Board (MSIB), Dunmarrow, 14 March 2025"),
    (
        "Normal",
        "This inquiry was led by Justice Emeka Thornquist. It sat for 19 days between 3 December "
        "2024 and 7 February 2025, heard 64 witnesses and cost 2.9 million crowns.",
    ),
    ("Heading 1", "What happened"),
    (
        "Normal",
        "On Thursday, 17 October 2024, at 7.52 p.m., the Kestrel Bay ran onto the outer "
        "breakwater at Tamsin Bay in fog. She was carrying 138 passengers and a crew of 13, 151 "
        "people in all; earlier figures left out the crew or the holders of season tickets. Three "
        "people died. The number of injured, given at the time as 31, was 38.",
    ),
    ("Heading 1", "The vessel"),
    ("Heading 1", "Why it happened"),
    (
        "Normal",
        "The Board finds three causes. The forward radar had failed on 9 October and had not been "
        "repaired, because the company was waiting for a cheaper spare part. The foghorn on the "
        "breakwater had been silent since August: its compressor had been taken away for overhaul "
        "and no notice to mariners was issued. And the ferry entered the bay at 14 knots, where "
        "the limit in poor visibility is 6.",
    ),
    (
        "Normal",
        "Neither alcohol nor fatigue played any part. Captain Teodor Vancik had warned Ellery "
        "Sound Lines about the radar twice in writing. He sailed nonetheless, the Board notes, "
        "because the timetable left him eleven minutes to turn the ship round and a late "
        "departure was deducted from the crew’s bonus.",
    ),
    ("Heading 1", "Recommendations"),
    ("List Number", "No ferry shall leave port with a defective radar."),
    ("List Number", "Bonuses for punctual departure shall be abolished."),
    ("List Number", "Every person on board shall be counted at the gangway."),
    ("List Number", "The harbour master shall test the foghorn on the first of each month."),
    (
        "Normal",
        "The company has until 30 June 2025 to report what it has done. The Board does not "
        "apportion guilt; the public prosecutor in Dunmarrow has received a copy.",
    ),
)
VESSEL_TABLE = (
    ("Built", "1998"),
    ("Length", "62 metres"),
    ("Certified for", "240 passengers"),
    ("Owner", "Ellery Sound Lines (ESL)"),
)


def write_minutes(path: Path) -> None:
    pdf = FPDF(format="A4")
    pdf.set_title(MINUTES_TITLE)
    pdf.set_author("Wilf Tansley")
    pdf.set_creation_date(MINUTES_WRITTEN)
    pdf.set_margin(22)
    for page in MINUTES_PAGES:
        pdf.add_page()
        for block in page.strip().split("\n\n"):
            heading = block.startswith("# ")
            pdf.set_font("Times", style="B" if heading else "", size=13 if heading else 11.5)
            for line in block.splitlines():
                pdf.cell(text=line.removeprefix("# "), h=6, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(3)
    pdf.output(str(path))


def write_report(path: Path) -> None:
    document = Document()
    properties = document.core_properties
    properties.title, properties.author = REPORT_TITLE, "Marine Safety Inquiry Board"
    properties.created = properties.modified = REPORT_WRITTEN
    document.add_heading(REPORT_TITLE, level=0)
    for style, text in REPORT_PARAGRAPHS:
        document.add_paragraph(text, style=style)
        if text == "The vessel":
            table = document.add_table(rows=0, cols=2)
            for name, value in VESSEL_TABLE:
                cells = table.add_row().cells
                cells[0].text, cells[1].text = name, value
    draft = io.BytesIO()
    document.save(draft)
    # python-docx stamps the archive's members with the time of day: write them again without.
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            target.writestr(member, source.read(name), compress_type=zipfile.ZIP_DEFLATED)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    write_minutes(folder / MINUTES_NAME)
    write_report(folder / REPORT_NAME)


if __name__ == "__main__":
    main()
