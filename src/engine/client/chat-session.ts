import { continuationOf, type SpokenPrompt } from "../chat/continued-prompt.js";
import type { ConversationOptions } from "../chat/conversation.js";
import { chatDocument, type ChatDocument } from "../chat/chat-document.js";
import { fitConversation, fitTokens, type OverflowPolicy } from "../chat/overflow.js";
import { assemblePrompt, type RenderedPrompt } from "../chat/prompt.js";
import type { TemplateRenderer } from "../chat/template-renderer.js";
import { type AnswerPiece, startsInsideThinking, ThinkingSplitter } from "../chat/thinking-splitter.js";
import { Utf8Stream } from "../chat/utf8-stream.js";
import { UserError } from "../errors.js";
import type { ChatData, ChatMessage } from "../families/chat-behaviour.js";
import type { GenerateResult, Sampling } from "../host/protocol.js";
import type { ModelFacts } from "./model-facts.js";
import { renderConversation } from "./render-conversation.js";
import type { TextSession } from "./text-session.js";

export interface ReplyOptions {
  conversation: Omit<ConversationOptions, "template">;
  sampling: Sampling;
  maxTokens: number | undefined;
  overflow: OverflowPolicy;
  contextSize: number;
  jsonSchema?: unknown;
  /** guess tokens from what came before (GenerateParams) */
  lookup?: boolean;
}

/** What is to be answered: a conversation, a text to go on with, or tokens to go on with. */
export type ChatRequest =
  | { kind: "messages"; messages: readonly ChatMessage[]; tools?: readonly ChatData[] }
  | { kind: "text"; text: string }
  | { kind: "tokens"; ids: readonly number[] };

export type ReplyEvent =
  | { kind: "prompt"; done: number; total: number }
  | { kind: "dropped"; messages: number; tokens: number }
  | { kind: "shifted"; tokens: number }
  | AnswerPiece;

/** A finished reply: the document of `--json`, and what the next turn needs. */
export interface Reply {
  document: ChatDocument;
  /** everything the model wrote, marks of the reasoning included */
  raw: string;
  startedInsideThinking: boolean;
  stopToken: string | undefined;
  result: GenerateResult;
}

/** Conversations, plain texts and token lists through one loaded model. */
export class ChatSession {
  /** the conversation answered last: its tokens are in the cache */
  private spoken: SpokenPrompt | undefined;

  constructor(
    private readonly session: TextSession,
    private readonly renderer: TemplateRenderer,
    /** milliseconds from the start of the command until the model was ready */
    private readonly loadMs: number,
  ) {}

  private get facts(): ModelFacts {
    return this.session.facts;
  }

  /**
   * Token ids of a request's prompt.
   * @throws UserError NO_CHAT, NO_TEMPLATE, TEMPLATE_*
   */
  async promptTokens(
    request: ChatRequest,
    conversation: ReplyOptions["conversation"],
    signal?: AbortSignal,
  ): Promise<number[]> {
    if (request.kind === "tokens") return [...request.ids];
    if (request.kind === "text") {
      return [...this.facts.prefixTokens, ...(await this.session.tokenize(request.text, { special: false }))];
    }
    return (await this.render(request, conversation, signal)).ids;
  }

  /**
   * Answers a request. An abort ends the answer; the reply says "interrupted".
   * @throws UserError as promptTokens(); CONTEXT_OVERFLOW, EMPTY_PROMPT, TOKEN_RANGE
   */
  run(request: ChatRequest, options: ReplyOptions, signal?: AbortSignal): AsyncGenerator<ReplyEvent, Reply> {
    return request.kind === "messages"
      ? this.reply(request, options, signal)
      : this.complete(request, options, signal);
  }

  private async render(
    { messages, tools }: Extract<ChatRequest, { kind: "messages" }>,
    conversation: ReplyOptions["conversation"],
    signal: AbortSignal | undefined,
  ): Promise<{ rendered: RenderedPrompt; ids: number[] }> {
    const rendered = await renderConversation(
      this.renderer,
      this.facts,
      { messages, conversation, ...(tools ? { tools } : {}) },
      signal,
    );
    const known = this.spoken && continuationOf(this.spoken, rendered.segments);
    const ids = await assemblePrompt(known?.rest ?? rendered.segments, (text, special) =>
      this.session.tokenize(text, special),
    );
    return { rendered, ids: known ? [...known.ids, ...ids] : ids };
  }

  private async *reply(
    request: Extract<ChatRequest, { kind: "messages" }>,
    options: ReplyOptions,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ReplyEvent, Reply> {
    const rendering = (messages: readonly ChatMessage[]) =>
      this.render({ ...request, messages }, options.conversation, signal);
    const fitted = await fitConversation(
      request.messages,
      limitsOf(options),
      async (kept) => (await rendering(kept)).ids.length,
    );
    if (fitted.dropped) yield { kind: "dropped", ...fitted.dropped };
    const { rendered, ids } = await rendering(fitted.messages);
    const thinking = this.facts.family.chat?.thinking;
    const startsInside = startsInsideThinking(rendered, thinking);
    const splitter = new ThinkingSplitter(thinking, { startsInside });
    const keep = options.overflow === "shift" ? await this.systemTokens(request, ids, options, signal) : 0;
    const reply = yield* this.generate(ids, splitter, { startsInside, keep, options, signal });
    this.spoken = spokenPrompt(rendered, ids, reply);
    return reply;
  }

  /** How many tokens of a prompt do not depend on what the user says: the system prompt, which a shift must keep. */
  private async systemTokens(
    request: Extract<ChatRequest, { kind: "messages" }>,
    ids: readonly number[],
    { conversation, contextSize }: ReplyOptions,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const system = request.messages.filter(({ role }) => role === "system");
    const other: ChatMessage = { role: "user", content: "\u2588" };
    const { ids: probe } = await this.render(
      { ...request, messages: [...system, other] },
      conversation,
      signal,
    );
    const differs = ids.findIndex((id, i) => probe[i] !== id);
    return Math.min(differs < 0 ? ids.length : differs, Math.floor(contextSize / 2));
  }

  private async *complete(
    request: Exclude<ChatRequest, { kind: "messages" }>,
    options: ReplyOptions,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<ReplyEvent, Reply> {
    const ids = await this.promptTokens(request, options.conversation, signal);
    if (ids.length === 0) {
      throw new UserError(
        "usage",
        "EMPTY_PROMPT",
        "The prompt is empty.",
        "Give some text or tokens to continue.",
      );
    }
    const outside = ids.find((id) => id >= this.facts.vocabulary);
    if (outside !== undefined) {
      const range = `the vocabulary has ids 0 to ${this.facts.vocabulary - 1}`;
      throw new UserError(
        "usage",
        "TOKEN_RANGE",
        `There is no token ${outside}: ${range}.`,
        "Check the ids with parley inspect tokens.",
      );
    }
    const keep = request.kind === "text" ? this.facts.prefixTokens.length : 0;
    const fitted = fitTokens(ids, keep, limitsOf(options));
    if (fitted.length < ids.length)
      yield { kind: "dropped", messages: 0, tokens: ids.length - fitted.length };
    return yield* this.generate(fitted, new VerbatimSplitter(), {
      startsInside: false,
      keep,
      options,
      signal,
    });
  }

  private async *generate(
    prompt: number[],
    splitter: Pick<ThinkingSplitter, "push" | "end">,
    {
      startsInside,
      keep,
      options,
      signal,
    }: { startsInside: boolean; keep: number; options: ReplyOptions; signal: AbortSignal | undefined },
  ): AsyncGenerator<ReplyEvent, Reply> {
    const utf8 = new Utf8Stream();
    const texts = { thinking: "", answer: "", raw: "" };
    const generated: number[] = [];
    const take = (pieces: AnswerPiece[]): AnswerPiece[] => {
      for (const { kind, text } of pieces) texts[kind] += text;
      return pieces;
    };
    const stopTokens = this.stopTokens();
    let tokens = prompt;
    let result: GenerateResult | undefined;
    for (;;) {
      const left = options.maxTokens === undefined ? undefined : options.maxTokens - generated.length;
      const stream = this.session.generate(
        {
          tokens,
          ...(left === undefined ? {} : { maxTokens: left }),
          sampling: options.sampling,
          stopTokens,
          ...(options.jsonSchema === undefined ? {} : { jsonSchema: options.jsonSchema }),
          lookup: options.lookup === true,
        },
        signal,
      );
      let step = await stream.next();
      for (; step.done !== true; step = await stream.next()) {
        if (step.value.kind === "prompt") {
          yield step.value;
          continue;
        }
        generated.push(...step.value.ids);
        const text = utf8.push(step.value.bytes);
        texts.raw += text;
        yield* take(splitter.push(text));
      }
      result = merge(result, step.value);
      if (result.stopReason !== "overflow" || options.overflow !== "shift" || signal?.aborted === true) break;
      // the oldest half of what may go is forgotten; the rest is evaluated again, so that positions are exact
      const whole = [...prompt, ...generated];
      const dropped = Math.max(1, Math.floor((tokens.length + step.value.generatedTokens - keep) / 2));
      const shown = whole.slice(-(tokens.length + step.value.generatedTokens - keep - dropped));
      tokens = [...whole.slice(0, keep), ...shown];
      yield { kind: "shifted", tokens: dropped };
    }
    const rest = utf8.end();
    texts.raw += rest;
    yield* take(splitter.push(rest));
    yield* take(splitter.end());

    const stopToken = result.stopToken;
    if (stopToken !== undefined) generated.push(stopToken);
    return {
      document: chatDocument({
        model: this.facts.path,
        text: texts.answer,
        thinking: texts.thinking,
        tokenIds: generated,
        finishReason: result.stopReason,
        promptTokens: prompt.length,
        evaluatedTokens: result.promptTokens - result.reusedTokens,
        loadMs: this.loadMs,
        firstTokenMs: result.firstTokenMs,
        promptMs: result.promptMs,
        generationMs: result.generateMs,
      }),
      raw: texts.raw,
      startedInsideThinking: startsInside,
      stopToken: this.facts.specialTokens.find(({ id }) => id === stopToken)?.text,
      result,
    };
  }

  /** The checkpoint's end tokens and those the family ends a turn with. */
  private stopTokens(): number[] {
    const texts = new Set(this.facts.family.chat?.stopTokens ?? []);
    const own = this.facts.specialTokens.filter(({ text }) => texts.has(text)).map(({ id }) => id);
    return [...new Set([...this.facts.stopTokens, ...own])];
  }
}

/** A completion is all answer, white space at its beginning included. */
class VerbatimSplitter {
  push(text: string): AnswerPiece[] {
    return text === "" ? [] : [{ kind: "answer", text }];
  }

  end(): AnswerPiece[] {
    return [];
  }
}

function limitsOf({ contextSize, maxTokens, overflow }: ReplyOptions) {
  return { contextSize, policy: overflow, ...(maxTokens === undefined ? {} : { maxTokens }) };
}

/** @returns undefined for an answer without tokens */
function spokenPrompt(
  { segments }: RenderedPrompt,
  prompt: readonly number[],
  { raw, stopToken, document, result }: Reply,
): SpokenPrompt | undefined {
  const stop = result.stopToken;
  const answer = stop === undefined ? document.token_ids : document.token_ids.slice(0, -1);
  if (answer.length === 0) return undefined;
  const ended = stop === undefined || stopToken === undefined ? {} : { stop: { id: stop, text: stopToken } };
  return { segments, raw, ids: [...prompt, ...answer], ...ended };
}

/** The figures of an answer that went on after a shift, as one. */
function merge(before: GenerateResult | undefined, now: GenerateResult): GenerateResult {
  if (!before) return now;
  return {
    ...now,
    promptTokens: before.promptTokens,
    reusedTokens: before.reusedTokens,
    generatedTokens: before.generatedTokens + now.generatedTokens,
    firstTokenMs: before.firstTokenMs,
    promptMs: before.promptMs,
    generateMs: before.generateMs + now.promptMs + now.generateMs,
  };
}
