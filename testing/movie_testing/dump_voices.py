# ruff: noqa: RUF001 -- titles in many scripts are what this module holds.
"""The words of the made-up titles: known ones of many languages, and what others are built of.

A *voice* is a language, or a pattern such as "Episode #1.1".
"""

import itertools
from dataclasses import dataclass
from typing import Final

ODD_TITLES: Final = (
    *("NULL", "Null", "null", "NA", "N/A", "None", "nan", "NaN", "TRUE", "False", "inf", "1e5"),
    *("007", "1984", "-", "+1", "0", "=1+1", "#VALUE!", "?", "\\Nowhere", "C:\\Movies\\", "\\."),
    *('"A Lone Quote', '"Quoted" Twice', 'Ends in a Quote"', '"', "L'Année, l'été", "A, B, C & D"),
    *("A Trailing Space ", "Two  Spaces", "A Line\u2028Separator", "A Next\x85Line"),
    *("東京物語", "Сталкер", "기생충", "المومياء", "七人の侍", "Amelie\u0301", "🎬", "İstanbul ıssız"),
    "A Title of Five Hundred Characters: " + "and So On " * 46 + "End.",
)
"""Titles that a careless reader changes or loses. Each dump holds each of them, as movies."""


@dataclass(frozen=True)
class Voice:
    """A way to make titles.

    Attributes:
        name: Which language or pattern it is.
        movie_share, episode_share, other_share: How often titles of each kind speak it
            (weights, not percent).
        words: Known words, the most frequent first.
        syllables: What further words are made of; none for voices with a closed list.
        invented: How many further words.
        prefixes: Put before the first word; "" among them as often as it should be.
        joints: Put between two words.
        lengths: Weights of 1, 2 and 3 words.
        skew: 1 means that all words are equally frequent; higher, that the first ones win.
        foreign: Whether it may be the original title of a film known by an English one.
        capitals: Whether invented words begin with a capital letter.
    """

    name: str
    movie_share: float
    episode_share: float
    other_share: float
    words: tuple[str, ...]
    syllables: tuple[str, ...] = ()
    invented: int = 0
    prefixes: tuple[str, ...] = ("",)
    joints: tuple[str, ...] = (" ",)
    lengths: tuple[float, float, float] = (1, 0, 0)
    skew: float = 1.8
    foreign: bool = False
    capitals: bool = True


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ENGLISH = _words("""
    Love Night Man Life Girl House Day Death Last World Black Blood Dark Time Little Dead Secret
    Woman Boy Red Heart Lost City White One King Big Dream War Good Road Fire Home Blue Story Two
    Wild Dog Summer Island Murder Moon Christmas Devil Street Ghost Queen Star Mother Father Sun
    River Wedding Killer Game Music Green Return Sky Light Beautiful Long American Angel Water Wind
    Shadow Winter School Sea Family Children Great Sister Brother Party Lady Mountain Paradise Hotel
    Kiss Silent Gold Crazy Money Train Country Evil Garden Morning Eyes Hell Room Hunter Baby Ride
    Doctor Snow Lonely Mystery Stranger Journey Broken Legend Wolf Golden Holiday Escape Rose
    Revenge Letter Doll Forest Bride Soul Tiger Voice Bird Rain Desert Promise Memory Sweet Silver
    Stone Iron Midnight Zombie Vampire Cowboy Detective Bandit Prince Circus Machine Planet Desire
""")  # fmt: skip
_ENGLISH_SYLLABLES = _words("""
    mar lin ker bro dan wil ster hol den ford ham ley ton ber gar ric wood field har per san der
    mil ler kin cas tle bur row al len ash by cor win dell eth an fal con gre gor hart jas mon roe
    nel son os wald pen rose quin ran dall shel don thorn vin cent wes ley york za ne ter ra
""")  # fmt: skip

_REPEATED = (
    *_words("""
        Love Home Alone Broken Hope Lost Desire Betrayal Revenge Hunger Mother Paradise Limbo Red
        Freedom Gone Trapped Destiny Redemption Awakening Silence Shadows Reflections Forever Eden
        Carmen Hamlet Macbeth Faust Dracula Cinderella Mirage Fear Blackout Echo Exit Fallen Ghost
        Homecoming Insomnia Joy Karma Legacy Mercy Nomad Obsession Pulse Quarantine Rebirth Solo
    """),
    *("The Return", "The Visit", "The Gift", "The Wedding", "The Letter", "The Visitor", "The End"),
    *("The Journey", "The Stranger", "The Promise", "The Wall", "The Hunt", "The Trap", "Reunion"),
    *("A Christmas Carol", "Alice in Wonderland", "Romeo and Juliet", "Treasure Island", "Stay"),
    *("The Three Musketeers", "Les Misérables", "Don Quijote", "Crime and Punishment", "Vendetta"),
)
_EPISODES = tuple(f"Episode #{season}.{episode}" for season in range(1, 31) for episode in range(1, 91))
_MONTHS = _words("""
    January February March April May June July August September October November December
""")
_DATES = tuple(
    f"Episode dated {day} {month} {year}"
    for year, month, day in itertools.product(range(2024, 1989, -1), _MONTHS, range(1, 29))
)
_HAN = tuple(
    "愛夜人生女家日死世黒血闇時小秘密男赤心城白王大夢戦道火青物語夏島月街星母父太陽川風影冬海山金雪森鳥雨石"
)
_KANA = _words("カ サ ラ ン ミ ド リ ト キ ョ ウ ー ア イ ス ル マ チ の さ く ら あ い ひ か り ゆ め")
_HANGUL = tuple("사랑밤사람인생여자집날죽음세계검은피어둠시간작비밀마음도시왕꿈전쟁길불여름섬달별어머니바람")

VOICES: Final = (
    Voice("english", 68, 32, 66, _ENGLISH, _ENGLISH_SYLLABLES, 30_000,
          ("", "", "", "", "The ", "The ", "A ", "My "),
          (" ", " ", " ", " of the ", " and the ", " in ", ": The ", "'s ", " & ", ", ", " of "),
          (25, 45, 30)),
    Voice("repeated", 4, 2, 4, _REPEATED, skew=2),
    Voice("numbered", 0, 44, 2, _EPISODES, skew=2.2),
    Voice("dated", 0, 10, 1, _DATES, skew=1.2),
    Voice("french", 6, 2, 6, _words("""
          Amour Nuit Vie Été Femme Cœur Année Fête Garçon École Père Mère Étoile Château Rêve Guerre
          Forêt Hôtel Île Désir Âme Lumière Fenêtre Mystère Frère Printemps Voleur Enfants Bonheur"""),
          _words("mé lan cho ri é ter ni té fa bu leux des tin bel la ma dé mon ré vol gé nie pè rê ve"),
          6_000, ("", "", "Le ", "La ", "Les ", "Un ", "L'", "Une "),
          (" ", " de ", " du ", " et ", " de la ", " à "), (25, 50, 25), foreign=True),
    Voice("spanish", 6, 3, 6, _words("""
          Amor Noche Vida Corazón Mujer Niño Sueño Mañana Canción Pasión Sangre Año Muerte Camino
          Señora Último Día Jardín Secreto Ángel Verano Isla Montaña Prisión Mamá Adiós Güera"""),
          _words("ma ri co ra zón se ño ca mi no lu na es tre lla que ro gui tar pe dra mé nez al ción"),
          6_000, ("", "", "El ", "La ", "Los ", "Las ", "Un ", "¡"),
          (" ", " de ", " y ", " del ", " en "), (25, 50, 25), foreign=True),
    Voice("german", 4, 2, 4, _words("""
          Liebe Nacht Mädchen Leben Straße Tür König Frühling Schöne Mörder Väter Glück Träume Wald
          Brüder Größe Stille Herz Fräulein Schloß Süden Abschied Heimat Geheimnis Krieg Früher"""),
          _words("schön wal der mül ler brü cke flie gen stra ße glück lich nach ter hei mat ten zeit"),
          6_000, ("", "", "Der ", "Die ", "Das ", "Ein "),
          (" ", " und ", " der ", " im ", " von "), (30, 50, 20), foreign=True),
    Voice("turkish", 2, 1, 2, _words("""
          Aşk Gece Hayat Kız Gönül Yağmur Kardeş Güneş Çocuk İstanbul Ölüm Düğün Şehir Sır Kış Işık
          Yalnız Köy Rüya Deniz Umut Ağlama Büyük Küçük"""),
          _words("gü zel ağ la ma dı ğım sev gi çö lü yal nız şe hir kı rık ya ra öz le dim ba şı ışık"),
          4_000, ("", "", "Bir ", "Son "), (" ", " ve "), (30, 50, 20), foreign=True),
    Voice("romanised", 6, 2, 6, _words("""
          Monogatari Kokoro Hana Yoru Otoko Onna Machi Pyaar Dil Zindagi Ishq Raat Duniya Mera
          Kahani Gang Hu Jiang Long Feng Tôkyô Ginga Sora Umi"""),
          _words("ka mi ko to ha na ra sa shi ma ki yô wa ni do gu ru pa ji za ri va pur dil la su mo"),
          12_000, ("",), (" no ", " ", " ni ", " ka ", "-"), (30, 45, 25), foreign=True),
    Voice("russian", 0.8, 0.7, 0.9, _words("Любовь Ночь Дом Война Жизнь Сердце Город Дорога Мать Мечта"),
          _words("мо ра сто ли ка ве ри на до ро га со лн це пе тро вич ска зка"),
          3_000, ("",), (" и ", " ", " на "), (40, 40, 20), foreign=True),
    Voice("chinese", 0.5, 0.5, 0.5, _HAN, _HAN, 3_000, ("",), ("", "の"), (50, 40, 10), foreign=True,
          capitals=False),
    Voice("japanese", 0.5, 0.4, 0.5, _KANA, _KANA, 3_000, ("",), ("", "・"), (40, 40, 20), foreign=True,
          capitals=False),
    Voice("korean", 0.3, 0.3, 0.3, _HANGUL, _HANGUL, 3_000, ("",), (" ", ""), (40, 40, 20), foreign=True,
          capitals=False),
    Voice("arabic", 0.3, 0.3, 0.3, _words("حب ليل حياة بيت قلب مدينة طريق أم حلم حرب بحر شمس"),
          _words("ال مو مي را سا لي نو حا كا تا با"), 3_000, ("",), (" ", " و"), (40, 40, 20), foreign=True,
          capitals=False),
)  # fmt: skip
