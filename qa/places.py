"""Kinds of places: the countries of the world, and the nouns that stand for a named place."""

from __future__ import annotations

COUNTRIES = frozenset(
    name.replace("_", " ")
    for name in """
    afghanistan albania algeria andorra angola argentina armenia australia austria azerbaijan
    bahamas bahrain bangladesh barbados belarus belgium belize benin bhutan bolivia bosnia botswana
    brazil britain brunei bulgaria burkina_faso burundi cambodia cameroon canada chad chile china
    colombia comoros congo costa_rica croatia cuba cyprus czechia czech_republic denmark djibouti
    dominica dominican_republic ecuador egypt el_salvador england eritrea estonia eswatini ethiopia
    fiji finland france gabon gambia georgia germany ghana greece grenada guatemala guinea guyana
    haiti honduras hungary iceland india indonesia iran iraq ireland israel italy ivory_coast
    jamaica japan jordan kazakhstan kenya kiribati kosovo kuwait kyrgyzstan laos latvia lebanon
    lesotho liberia libya liechtenstein lithuania luxembourg madagascar malawi malaysia maldives
    mali malta mauritania mauritius mexico micronesia moldova monaco mongolia montenegro morocco
    mozambique myanmar burma namibia nauru nepal netherlands holland new_zealand nicaragua niger
    nigeria north_korea n._korea north_macedonia macedonia norway oman pakistan palau palestine
    panama paraguay peru philippines poland portugal qatar romania russia rwanda samoa saudi_arabia
    scotland senegal serbia seychelles sierra_leone singapore slovakia slovenia somalia
    south_africa south_korea korea south_sudan soviet_union spain sri_lanka sudan suriname sweden
    switzerland syria taiwan tajikistan tanzania thailand tibet togo tonga trinidad tunisia turkey
    türkiye turkmenistan tuvalu uganda ukraine united_arab_emirates united_kingdom united_states
    america uruguay uzbekistan vanuatu vatican venezuela vietnam wales yemen yugoslavia zambia
    zimbabwe us uk u.s. u.k. uae europe asia africa
    """.split()
)
TOWNS = frozenset("city town village capital port metropolis township".split())
STANDING_FOR_PLACES = TOWNS | frozenset("country nation state island region resort".split())


def is_country(name: str) -> bool:
    """Whether a name is a country's."""
    words = name.casefold().strip()
    return words.removeprefix("the ") in COUNTRIES
