"""Words for the same kind of happening: a verb, its nouns, and set phrases, by lemma.

A list of what news is made of, so that "Who met where?" finds a summit. A verb that is not listed
stands for itself and for nouns built on it ("collapse", "investigation").
"""

from __future__ import annotations

from typing import NamedTuple

import Stemmer

_STEM = Stemmer.Stemmer("english")

_GROUPS = """
meet meeting summit talk encounter handshake confer reunite shake+hand exchange+greeting
sign signing signature ink initial
visit trip tour travel arrive arrival journey
attack assault bomb bombing raid strike shell shelling ambush airstrike
kill killing murder slay slaying assassinate assassination shoot+dead
die death perish succumb
elect election re-elect reelect vote+in
appoint appointment name nominate nomination
resign resignation quit step+down
arrest detain detention seize+suspect
win victory triumph beat defeat
buy purchase acquire acquisition takeover
sell sale selling
open opening inaugurate inauguration unveil launch
close closure shut
agree agreement accord deal pact
announce announcement declare declaration
postpone postponement delay adjourn
cancel cancellation call+off scrap
summon summons
collide collision crash crash+into
explode explosion blast detonate
sink sinking capsize founder
protest demonstration demonstrate rally march
marry wedding marriage wed
found founding establish establishment
merge merger
return homecoming come+home
leave departure depart
speak speech address
sentence conviction convict verdict
accuse accusation charge allege
invade invasion
release freeing free
steal theft rob robbery burgle burglary
invite invitation
discover discovery find
""".strip().split("\n")

LIGHT_VERBS = frozenset(
    "hold have attend take begin open start end conclude host join chair conduct stage".split()
)
MOTION_VERBS = frozenset(
    "travel go fly head return come drive sail move arrive journey visit march walk".split()
)
PLANNING = frozenset(
    """plan expect intend schedule hope want aim prepare set slate propose offer seek agree invite
    wish promise vow pledge due ready poise arrange""".split()
)
CANCELLING = frozenset("cancel postpone scrap call abort abandon suspend shelve delay fall".split())
DENYING = frozenset("deny refute reject dismiss rule refuse decline".split())
REPORTING = frozenset(
    """say tell report add note state quote ask warn be have do become seem appear show see think
    believe know suggest accord hint call remain""".split()
)


IRREGULAR = {
    "meet": "met", "kill": "slain", "slay": "slew", "buy": "bought", "sell": "sold", "win": "won",
    "die": "dead", "leave": "left", "speak": "spoke", "strike": "struck", "sink": "sank",
    "quit": "quit", "shoot": "shot", "find": "found", "hold": "held", "come": "came",
    "steal": "stole", "shake": "shook", "beat": "beat", "free": "freed", "sit": "sat",
    "go": "went", "fly": "flew", "give": "gave", "take": "took", "build": "built", "lose": "lost",
    "begin": "began", "break": "broke", "write": "wrote", "fall": "fell", "rise": "rose",
    "send": "sent", "make": "made", "see": "saw", "say": "said", "tell": "told", "pay": "paid",
    "lead": "led", "run": "ran", "fight": "fought", "catch": "caught", "teach": "taught",
    "bring": "brought", "think": "thought", "become": "became", "choose": "chose",
    "drive": "drove", "draw": "drew", "grow": "grew", "wear": "wore", "throw": "threw",
}  # fmt: skip
PICTURES = frozenset("picture photo photograph image footage video file handout".split())
MAYBE = frozenset("may might could can would possible potential likely possibly".split())
LATER = frozenset("will shall 'll ’ll wo planned upcoming proposed scheduled expected".split())
PLACE_NOUNS = frozenset(
    """city town village capital country region province state district area island port harbour
    harbor airport station hotel hall house palace church school university hospital stadium park
    square street road bridge border building office headquarters embassy court courthouse prison
    jail camp base centre center museum theatre theater restaurant cafe club library market shop
    store factory plant farm field forest mountain lake river sea coast beach desert bay resort
    residence home room ballroom venue site cosmodrome spaceport parliament ministry
    campus arena club pier quay dock shipyard yard mine chapel cathedral mosque temple villa castle
    suburb neighbourhood neighborhood county valley north south east west far-east outskirts
    ground front ship boat train plane aircraft point cape channel strait
    sound hill ridge rock creek avenue lane tower hut lodge crossing canal dam lighthouse""".split()
)
PERSON_NOUNS = frozenset(
    """leader president minister official man woman people person child boy girl mother father
    brother sister wife husband son daughter friend police officer soldier troop rebel worker
    employee student teacher doctor patient lawyer judge mayor governor senator lawmaker delegate
    delegation team group crew member side government ministry company firm bank court army force
    party union council committee commission board family resident villager voter protester
    demonstrator opponent supporter ally rival pair couple duo trio envoy ambassador diplomat
    negotiator captain pilot driver passenger player coach fan artist author writer reporter
    journalist expert scientist researcher king queen prince princess pope bishop priest chief
    head director manager chairman chairwoman spokesman spokeswoman secretary general guard gunman
    suspect attacker killer victim survivor prisoner candidate refugee migrant tourist visitor
    neighbour neighbor farmer fisherman trader investor owner tenant agency authority parliament
    country nation state counterpart politician deputy colleague everyone nobody someone""".split()
)


class Kind(NamedTuple):
    """Lemmas that tell of one kind of happening; pairs are a verb and its object or particle."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]


def kind_of(verb: str) -> Kind:
    """The kind of happening that a verb or noun, given as a lemma, stands for."""
    for group in _GROUPS:
        entries = group.split()
        if verb in entries:
            pairs = frozenset(
                (first, second)
                for first, _, second in (e.partition("+") for e in entries)
                if second
            )
            return Kind(frozenset(e for e in entries if "+" not in e), pairs)
    return Kind(frozenset([verb]), frozenset())


def is_listed(word: str) -> bool:
    """Whether a word is among those of a known kind of happening."""
    return any(word in group.split() for group in _GROUPS)


def is_of_kind(lemma: str, kind: Kind) -> bool:
    """Whether a lemma, or the verb it is built on, is among a kind's words."""
    return lemma in kind.words or (
        len(lemma) > 5 and _STEM.stemWord(lemma) in {_STEM.stemWord(word) for word in kind.words}
    )
