"""The README's figures: what each of its regions says, from the JSON of `dateline eval`.

Shares and scores are between 0 and 1 there; tables show them as the measure's field does: exact
match and F1 of answers and dates in percent, others as ".331".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from .figure_text import (
    Json,
    decimal,
    half_name,
    in_hundred,
    mark_of,
    p50_p95,
    pair,
    percent,
    prose,
    report_table,
    rounded,
    whole,
    with_interval,
)
from .markdown import escaped, markdown_table
from .measurements import MEASUREMENTS, Record

Records: TypeAlias = Mapping[str, Record]
ENGINES = {"openvino": "OpenVINO", "onnxruntime": "ONNX Runtime"}


class Renderer(NamedTuple):
    """Writes a region from the records of the measurements that it needs."""

    needs: tuple[str, ...]
    render: Callable[[Records], str]


RENDERERS: dict[str, Renderer] = {}


def _region(name: str, *needs: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Makes a function the renderer of a region; it gets the results that it needs, in order."""

    def register(render: Callable[..., str]) -> Callable[..., str]:
        RENDERERS[name] = Renderer(
            needs, lambda records: render(*(records[need].result for need in needs))
        )
        return render

    return register


def _machines(records: Records) -> str:
    """On what everything was measured, and when; several machines are told apart."""
    described: dict[str, list[Record]] = {}
    for record in records.values():
        on = record.machine
        engine = on["engine"]
        units = {True: " with bf16 units", False: " without bf16 units", None: ""}[on["bf16"]]
        memory = f", {on['memory_gib']} GiB" if on["memory_gib"] else ""
        machine = (
            f"{on['cores']} cores ({on['processor']}{units}){memory}, Python {on['python']},"
            f" {ENGINES.get(engine, engine)} {record.versions.get(engine, '')}".rstrip()
        )
        described.setdefault(machine, []).append(record)
    sentences = []
    for machine, those in described.items():
        which = "" if len(described) == 1 else f" ({', '.join(sorted(r.name for r in those))})"
        days = sorted({record.date[:10] for record in those})
        when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        commits = ", ".join(sorted({record.commit for record in those} - {""}))
        code = f", commit {commits}" if commits else ""
        sentences.append(f"Measured on {machine}; {when}{code}{which}.")
    older = [measurement.name for measurement in MEASUREMENTS if measurement.name not in records]
    if older:
        sentences.append(f"Measured before that, or elsewhere: {', '.join(older)}.")
    return prose(" ".join(sentences))


RENDERERS["machine"] = Renderer((), _machines)


@_region("speed", "speed")
def _speed(speed: Json) -> str:
    results = speed["results"]
    indexing, asking = [r["indexing"] for r in results], [r["warm_ask"] for r in results]
    rows = [
        ["passages of about 120 words", *(f"{i['passages']:,}" for i in indexing)],
        ["indexing, passages/s", *(f"{i['passages_per_second']:.0f}" for i in indexing)],
        ["index on disk, MiB", *(rounded(i["index_mib"]) for i in indexing)],
        ["warm ask, ms, p50 / p95", *(p50_p95(a["total"]) for a in asking)],
        ["– of this retrieving", *(p50_p95(a["retrieve"]) for a in asking)],
        ["– of this reading", *(p50_p95(a["read"]) for a in asking)],
        [
            f"cold ask, s, median of {results[0]['cold_runs']} processes",
            *(f"{r['cold_ask_seconds']:.2f}" for r in results),
        ],
        [
            "peak memory asking / indexing, MiB",
            *(
                f"{whole(a['peak_mib'])} / {whole(i['peak_mib'])}"
                for a, i in zip(asking, indexing, strict=True)
            ),
        ],
    ]
    return markdown_table(["", *(r["name"] for r in results)], rows)


@_region("answers", "answers-squad", "answers-sample")
def _answers(squad: Json, sample: Json) -> str:
    trust = squad["trust"]
    rows = [
        ["documents", f"{squad['paragraphs']:,}", f"{sample['documents']:,}"],
        ["questions", f"{squad['questions']:,}", f"{sample['questions']:,}"],
        [
            "exact match (95 %)",
            with_interval(squad, "exact_match"),
            in_hundred(sample, "exact_match"),
        ],
        ["F1 (95 %)", with_interval(squad, "f1"), in_hundred(sample, "f1")],
        ["a right span among the first ten", percent(squad["answer_in_top_spans"]["10"]), "–"],
        [
            "the answer in the first ten passages",
            percent(squad["answer_in_top_passages"]["10"]),
            "–",
        ],
        [
            "answered, of the questions that have an answer",
            percent(1 - squad["abstained"]),
            percent(sample["answered"]),
        ],
        ["answered, of those that have none", "–", percent(sample["false_answers"])],
        ["citation right, of those answered", "–", percent(sample["citation_correct"])],
        [
            "answered where one answer in ten is wrong",
            percent(trust["coverage_at_risk"]["10%"]["coverage"]),
            "–",
        ],
        ["calibration error", decimal(trust["expected_calibration_error"], 2), "–"],
        [
            "indexing, s (passages/s)",
            f"{squad['indexing_seconds']:.1f} ({squad['passages_per_second']:.0f})",
            "–",
        ],
        ["ask, ms, p50 / p95", p50_p95(squad["latency"]), p50_p95(sample["latency"])],
        ["start to first answer, s", f"{squad['start_seconds']:.2f}", "–"],
        ["peak memory, MiB", whole(squad["peak_mib"]), "–"],
    ]
    return markdown_table(["", "SQuAD v1.1 dev", "bundled sample"], rows)


@_region("answers-sweep", "answers-sweep")
def _answers_sweep(results: Json) -> str:
    rows = [
        [
            result["system"],
            in_hundred(result, "exact_match") + mark_of(result, "EM"),
            in_hundred(result, "f1") + mark_of(result, "F1"),
            decimal(result["answer_in_top_spans"]["5"]) + mark_of(result, "span@5"),
            decimal(result["answer_in_top_passages"]["5"]) + mark_of(result, "passage@5"),
            decimal(result["trust"]["area_under_risk_coverage"]),
            decimal(result["trust"]["expected_calibration_error"]),
            p50_p95(result["latency"]),
        ]
        for result in results
    ]
    columns = ["", "exact match", "F1", "right span in 5", "answer in 5 passages", "AURC", "ECE"]
    return markdown_table([*columns, "ms, p50 / p95"], rows)


@_region("peers", "peers-squad", "peers-sample")
def _peers(squad: Json, sample: Json) -> str:
    return "\n\n".join(
        f"**{escaped(table['caption'])}**\n\n{report_table(table)}"
        for report in (squad, sample)
        for table in report["tables"]
    )


@_region("reading", "reading-v1", "reading-v2")
def _reading(v1: Json, v2: Json) -> str:
    rows = [
        [
            name,
            f"{result['questions']:,}",
            with_interval(result, "exact_match"),
            with_interval(result, "f1"),
            in_hundred(unanswerable["best_f1"], "score") if unanswerable else "–",
            percent(unanswerable["false_answers"]) if unanswerable else "–",
            decimal(result["trust"]["expected_calibration_error"], 2),
        ]
        for name, result in (("SQuAD v1.1 dev", v1), ("SQuAD v2.0 dev", v2))
        for unanswerable in [result["no_answer"]]
    ]
    columns = ["", "questions", "exact match (95 %)", "F1 (95 %)"]
    columns += ["best F1 with “no answer”", "unanswerable ones answered", "calibration error"]
    return markdown_table(columns, rows)


@_region("dates", "dates")
def _dates(parts: Json) -> str:
    names = {"development": "developed on", "held out": "held out", "all": "all"}
    rows = [
        [
            f"{part['stories']} stories, {names[part['part']]}",
            str(part["expressions"]),
            *(in_hundred(part, field) for field in ("relaxed", "strict", "value", "equal_value")),
        ]
        for part in parts
    ]
    columns = ["", "expressions", "relaxed extent", "strict extent", "value"]
    return markdown_table([*columns, "same date (“1949-XX” is “1949”)"], rows)


@_region("events", "events")
def _events(events: Json) -> str:
    parts = events["parts"]
    rows = [
        ["questions / slots", *(f"{part['questions']} / {part['slots']}" for part in parts)],
        ["all slots", *(decimal(part["accuracy"]) for part in parts)],
        *(
            [f"– {slot}", *(decimal(part["by_slot"][slot]) for part in parts)]
            for slot in parts[0]["by_slot"]
        ),
        *(
            [f"{kind} questions", *(decimal(part["by_kind"].get(kind)) for part in parts)]
            for kind in parts[0]["by_kind"]
        ),
    ]
    table = markdown_table(["", *(half_name(part["part"]) for part in parts)], rows)
    plain, compound = events["plain"], events["compound"]
    return (
        table
        + "\n\n"
        + prose(
            f"A plain question takes {whole(plain['p50'])} ms there, a compound one"
            f" {whole(compound['p50'])} ms (p50; p95 {whole(plain['p95'])} and"
            f" {whole(compound['p95'])})."
        )
    )


@_region("rewriting", "rewriting")
def _rewriting(rewriting: Json) -> str:
    names = {"canard_dev": "CANARD", "cast2019": "CAsT"}
    rows = [
        [
            f"{names.get(score['source'], score['source'])}: {score['system']}",
            f"{score['turns']:,}",
            *(decimal(score[field]) for field in ("precision", "recall", "f1", "rouge1")),
            f"{score['bleu']:.1f}",
            decimal(score["untouched"]),
        ]
        for score in rewriting["scores"]
    ]
    columns = ["", "turns", "P", "R", "term F1", "ROUGE-1", "BLEU", "untouched"]
    return markdown_table(columns, rows)


@_region("conversations", "conversations")
def _conversations(conversations: Json) -> str:
    rows = [
        [
            half_name(part["part"]),
            str(part["turns"]),
            decimal(part["f1"]["off"]),
            f"{decimal(part['f1']['on'])} ({decimal(on['low'])}–{decimal(on['high'])})",
            decimal(part["f1"]["rewrites"]),
            percent(part["kept"]),
            decimal(part["untouched"]),
        ]
        for part in conversations["parts"]
        for on in [part["on"]]
    ]
    columns = ["turns", "", "without", "Dateline (95 %)", "rewrites", "kept", "left as they are"]
    times = conversations["resolving"]
    return (
        markdown_table(columns, rows)
        + "\n\n"
        + prose(
            f"To understand a turn takes {whole(times['p50'])} ms (p50; p95"
            f" {whole(times['p95'])}), nothing without a session."
        )
    )


@_region("main-events", "main-events")
def _main_events(found: Json) -> str:
    rows = [
        [slot["slot"], str(slot["articles"]), percent(slot["answered"]), percent(slot["right"])]
        for slot in found["slots"]
    ]
    return markdown_table(["", "articles", "answered", "right"], rows)


@_region("retrieval", "retrieval", "retrieval-rrf", "retrieval-binary", "retrieval-binary-rrf")
def _retrieval(plain: Json, rrf: Json, binary: Json, binary_rrf: Json) -> str:
    names = {"bm25": "bm25", "dense": "dense", "hybrid": "hybrid, min-max mean (default)"}
    rows = [
        [name, *_rankings(plain, mode), decimal(_ranking(binary, "cranfield", mode)["nDCG@10"])]
        for mode, name in names.items()
    ]
    fused = decimal(_ranking(binary_rrf, "cranfield", "hybrid")["nDCG@10"])
    rows.append(["hybrid, `--fusion rrf`", *_rankings(rrf, "hybrid"), fused])
    columns = ["", "NFCorpus nDCG@10", "R@100", "Cranfield nDCG@10", "R@100"]
    return markdown_table([*columns, "Cranfield, `--binary` nDCG@10"], rows)


@_region("retrieval-sweep", "retrieval-sweep")
def _retrieval_sweep(results: Json) -> str:
    systems: dict[str, list[Json]] = {}
    for result in results:
        systems.setdefault(result["system"], []).append(result)
    rows = [
        [
            system,
            *(
                decimal(r["measures"].get(m)) + mark_of(r, m)
                for r in by_collection
                for m in ("nDCG@10", "R@100")
            ),
        ]
        for system, by_collection in systems.items()
    ]
    columns = ["", "NFCorpus nDCG@10", "R@100", "Cranfield nDCG@10", "R@100"]
    return markdown_table(columns, rows)


@_region("terms", "terms-plain", "terms-stopped", "terms-stemmed", "retrieval")
def _terms(*results: Json) -> str:
    names = ("neither", "stop words left out", "stems", "both (default)")
    rows = [
        [
            name,
            *(
                decimal(_ranking(r, where, "bm25")["nDCG@10"])
                for where in ("nfcorpus", "cranfield")
            ),
        ]
        for name, r in zip(names, results, strict=True)
    ]
    return markdown_table(["bm25", "NFCorpus nDCG@10", "Cranfield nDCG@10"], rows)


@_region("bm25", "bm25")
def _bm25(bm25: Json) -> str:
    results = bm25["results"]
    sizes = list(dict.fromkeys(result["passages"] for result in results))
    rows = []
    for engine in dict.fromkeys(result["engine"] for result in results):
        by_size = {r["passages"]: r for r in results if r["engine"] == engine}
        measured = [by_size.get(size, {}) for size in sizes]
        queries = [pair(r.get("mean"), r.get("p95")) for r in measured]
        name = engine.replace("dateline", "Dateline")
        rows.append([name, *queries, rounded(measured[-1].get("query_after_add"))])
    columns = ["ms a query, mean / p95", *(f"{size:,} passages" for size in sizes)]
    table = markdown_table([*columns, "the first after adding one"], rows)
    largest = max((r["largest_difference"] or 0 for r in results), default=0)
    return (
        table
        + "\n\n"
        + prose(
            f"The largest difference from rank-bm25's scores, after additions and removals, is"
            f" {largest:.1g}."
        )
    )


@_region("recall", "recall")
def _recall(recall: Json) -> str:
    results = recall["results"]
    rows = [
        [
            f"{r['vectors']:,} ({r['state']})",
            *(decimal(share) for share in r["recall"].values()),
            pair(r["approximate"]["p50"], r["approximate"]["p95"]),
            pair(r["exact"]["p50"], r["exact"]["p95"]),
        ]
        for r in results
    ]
    columns = ["vectors", *results[0]["recall"], "ms, p50 / p95", "exact, ms, p50 / p95"]
    return markdown_table(columns, rows)


@_region("load", "load", "endurance")
def _load(load: Json, endurance: Json) -> str:
    rows = [
        [
            f"{r['clients']}",
            f"{r['requests']:,}",
            f"{r['per_second']:.1f}",
            *(rounded(r[percentile]) for percentile in ("p50", "p95", "p99")),
            f"{sum(r['errors'].values()):,}",
            " → ".join(map(whole, list(r["memory"].values())[:: max(len(r["memory"]) - 1, 1)])),
        ]
        for r in (*load["results"], *endurance["results"])
    ]
    columns = ["clients at once", "questions", "a second", "ms p50", "p95", "p99", "errors"]
    return markdown_table([*columns, "the server's memory, MiB"], rows)


def _rankings(results: Json, mode: str) -> Iterable[str]:
    for collection in ("nfcorpus", "cranfield"):
        measures = _ranking(results, collection, mode)
        yield decimal(measures["nDCG@10"])
        yield decimal(measures["R@100"])


def _ranking(results: Json, collection: str, mode: str) -> Mapping[str, float]:
    """The measures of one way of searching one collection."""
    found: Mapping[str, float] = next(
        r["measures"] for r in results if (r["collection"], r["mode"]) == (collection, mode)
    )
    return found
