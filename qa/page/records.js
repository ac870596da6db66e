/**
 * The records of the service, as types; see /docs. Offsets count Unicode code points.
 *
 * @typedef {{ start: number, end: number, text: string }} Passage
 * @typedef {{ number: number, document_id: string, title: string, source: string,
 *   published: string | null, start: number, end: number, quote: string, passage: Passage,
 *   page: number | null, sentences?: [number, number] }} Citation
 * @typedef {{ type: string, start: string | null, end: string | null, text: string }} Value
 * @typedef {{ text: string, confidence: number, slot: string | null, name: string | null,
 *   value: Value | null, citations: number[] }} Span
 * @typedef {{ text: string, name: string | null, value: Value | null, citation: number }} Mention
 * @typedef {"happened" | "planned" | "possible" | "denied" | "cancelled"} Status
 * @typedef {{ what: string, status: Status, who: Mention[], where: Mention | null,
 *   when: Mention | null }} DatelineEvent
 * @typedef {{ question: string, choices: string[] }} Clarification
 * @typedef {{ question: string, resolved_question: string, abstained: boolean, answers: Span[],
 *   events: DatelineEvent[], citations: Citation[], nearest: Citation[],
 *   clarification?: Clarification, timings_ms: Record<string, number> }} Answer
 * @typedef {{ query: string, events: DatelineEvent[], citations: Citation[] }} Timeline
 * @typedef {{ title: string, source: string, published: string | null }} Hit
 *
 * @typedef {{ id: string, created: string, used: string, turns: number, title: string }} SessionInfo
 * @typedef {{ number: number, asked: string, question: string, answer: Answer }} Turn
 * @typedef {{ id: string, turns: Turn[] }} SessionRecord
 *
 * @typedef {{ id: string, source: string, title: string, published: string | null,
 *   place: string | null, language: string | null, metadata: Record<string, unknown> }} DocumentInfo
 * @typedef {DocumentInfo & { text: string, pages?: number[] }} DocumentRecord
 * @typedef {{ total: number, documents: DocumentInfo[] }} DocumentsReply
 *
 * @typedef {{ code: string, problem: string, next_step: string }} ErrorDetail
 * @typedef {{ id: string, state: "queued" | "running" | "done" | "failed",
 *   files: { name: string, size: number }[],
 *   progress: { done: number, total: number, unit: string } | null,
 *   waiting?: string | null, report: Report | null, error: ErrorDetail | null }} Job
 * @typedef {{ failed: { source: string, reason: string }[], counts: Record<string, number> }} Report
 *
 * @typedef {{ after?: string, before?: string, source?: string }} Filters
 */
export {};
