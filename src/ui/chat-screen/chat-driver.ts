import { setTimeout as sleep } from "node:timers/promises";
import type { ChatFile } from "../../engine/chat/saved/chat-file.js";
import type { ChatStore } from "../../engine/chat/saved/chat-store.js";
import { type AnswerTurn, turnMessage } from "../../engine/chat/saved/turns.js";
import { answerTurn } from "../../engine/client/answer-turn.js";
import type { Reply, ReplyOptions } from "../../engine/client/chat-session.js";
import type { SpeechSession } from "../../engine/client/speech-session.js";
import { isAbortError, UserError } from "../../engine/errors.js";
import { fullNote, lossNote, movedNote } from "../chat-notes.js";
import { ask, type ChatModel } from "../chat-model.js";
import type { Progress } from "../progress.js";
import { AnswerView } from "./answer-view.js";
import { engineMemory } from "./status/engine-memory.js";
import type { ScreenStore } from "./screen-store.js";
import type { Settings } from "./settings.js";
import type { Palette } from "./transcript/palette.js";
import type { TranscriptItem } from "./transcript/transcript-item.js";

export interface DriverOptions {
  readonly store: ScreenStore;
  readonly palette: Palette;
  readonly chats: ChatStore;
  readonly chat: ChatFile;
  readonly engine: ChatModel;
  readonly settings: Settings;
  readonly jsonSchema: unknown;
  readonly lookup: boolean;
  readonly open: (model: string, options: { progress: Progress; signal: AbortSignal }) => Promise<ChatModel>;
  readonly openSpeech: (
    model: string,
    options: { progress: Progress; signal: AbortSignal },
  ) => Promise<SpeechSession>;
}

/** How often a running answer is drawn without news, for its clock. */
const TICK_MS = 1000;

/** An answer that is stopped by leaving gets this long to come to its end and be saved. */
const LAST_WORDS_MS = 2000;

/** The conversation behind the screen: asks, stops, saves, and starts the engine again when it has died. */
export class ChatDriver {
  readonly store: ScreenStore;
  readonly chats: ChatStore;
  chat: ChatFile;
  engine: ChatModel;
  settings: Settings;
  lastReply: { reply: Reply; seed: number } | undefined;
  private running: AbortController | undefined;
  private view: AnswerView | undefined;
  private answering: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(private readonly options: DriverOptions) {
    ({
      store: this.store,
      chats: this.chats,
      chat: this.chat,
      engine: this.engine,
      settings: this.settings,
    } = options);
    this.watch(this.engine);
  }

  /** A new message: saved at once, then answered. */
  async ask(text: string): Promise<void> {
    this.append({ kind: "user", text });
    await this.save(() => this.chat.add({ role: "user", text }));
    await this.answer();
  }

  /** Answers the last message of the conversation. */
  answer(): Promise<void> {
    this.answering = this.answerNow();
    return this.answering;
  }

  private async answerNow(): Promise<void> {
    const controller = new AbortController();
    const view = new AnswerView(this.store, this.options.palette);
    this.running = controller;
    this.view = view;
    this.store.dispatch({ type: "phase", phase: "answering" });
    view.report("reading the prompt");
    const clock = setInterval(() => view.tick(), TICK_MS);
    try {
      const { reply, seed } = await this.run(view, controller.signal);
      view.end();
      this.lastReply = { reply, seed };
      await this.keep(answerTurn(reply, this.engine.facts));
      this.reportEnd(reply);
    } catch (error) {
      view.end();
      await this.keepWhatCame(view);
      if (!controller.signal.aborted || !isAbortError(error)) this.fail(error);
    } finally {
      clearInterval(clock);
      this.running = undefined;
      this.view = undefined;
      if (!["dead", "left"].includes(this.store.state().phase))
        this.store.dispatch({ type: "phase", phase: "idle" });
      await this.refreshMemory();
    }
  }

  /** Ctrl-C: the answer ends, what came stays. */
  stop(): void {
    if (this.running === undefined) return;
    if (this.store.state().phase === "answering") this.store.dispatch({ type: "phase", phase: "stopping" });
    this.view?.report("stopping");
    this.running.abort();
  }

  /** Ctrl-O: shows reasoning from now on, and that of the last answer; or folds it. */
  toggleThinking(): void {
    this.store.dispatch({ type: "toggle-thinking" });
    if (this.view !== undefined) return this.view.tick();
    const { showThinking } = this.store.state();
    const last = this.chat.turns.findLast((turn) => turn.role === "assistant");
    if (showThinking && last?.role === "assistant" && last.thinking !== "") {
      this.append({ kind: "thinking", text: last.thinking });
    }
    this.store.dispatch({ type: "notice", text: showThinking ? "thinking is shown" : "thinking is folded" });
  }

  /** Starts an engine with the same model. The conversation is read again with the next message. */
  async restart(): Promise<void> {
    await this.work(async (progress, signal) => {
      await this.use(await this.options.open(this.engine.name, { progress, signal }));
      this.append({
        kind: "note",
        tone: "info",
        text: "the engine runs again; the next answer reads the conversation anew",
      });
    });
  }

  /** Loads another model in the place of this one; the conversation stays. */
  async switchModel(model: string): Promise<void> {
    await this.work(async (progress, signal) => {
      await this.use(await this.options.open(model, { progress, signal }));
      this.append({ kind: "note", tone: "info", text: `the model is now ${this.engine.facts.name}` });
    });
  }

  /** Runs a command that takes time: Ctrl-C stops it, its progress is a line on the screen. */
  async work(job: (progress: Progress, signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    this.running = controller;
    const before = this.store.state().phase;
    this.store.dispatch({ type: "phase", phase: "working" });
    const show = (activity: string) => this.store.dispatch({ type: "live", live: { activity } });
    const progress: Progress = {
      update: ({ label, done, total }) =>
        show(
          done === undefined || total === undefined
            ? label
            : `${label}, ${Math.floor((100 * done) / total)}%`,
        ),
      finish: () => undefined,
    };
    let phase = before;
    try {
      await job(progress, controller.signal);
      phase = "idle";
    } catch (error) {
      if (controller.signal.aborted) this.append({ kind: "note", tone: "info", text: "stopped" });
      else this.fail(error);
    } finally {
      this.running = undefined;
      this.store.dispatch({ type: "live", live: undefined });
      this.store.dispatch({ type: "phase", phase });
    }
  }

  /** A second engine, for /speak; whoever asked for it closes it. */
  openSpeech(options: { progress: Progress; signal: AbortSignal }): Promise<SpeechSession> {
    return this.options.openSpeech(this.settings.speechModel, options);
  }

  /** Goes on with another chat. */
  turnTo(chat: ChatFile): void {
    this.chat = chat;
    this.store.dispatch({ type: "status", status: { contextUsed: undefined } });
  }

  append(...items: TranscriptItem[]): void {
    this.store.dispatch({ type: "append", items });
  }

  /** Shows an error where the conversation is. */
  fail(error: unknown): void {
    if (error instanceof UserError) {
      const hint = error.hint === undefined ? "" : `\n${error.hint}`;
      this.append({ kind: "note", tone: "error", text: `${error.message}${hint}` });
    } else {
      const message = error instanceof Error ? error.message : String(error);
      this.append({ kind: "note", tone: "error", text: `${message} (this is a bug in parley)` });
    }
  }

  /** What the next prompt is made of. */
  conversation(): ReplyOptions["conversation"] {
    const { system } = this.chat.content;
    return {
      ...(system === undefined ? {} : { system }),
      thinking: this.settings.thinking && this.options.jsonSchema === undefined,
      keepThoughts: this.settings.keepThoughts,
    };
  }

  /** Writes to the saved chat. What goes wrong is said; the conversation goes on. */
  async save(write: () => Promise<void>): Promise<void> {
    const { path } = this.chat;
    try {
      await write();
    } catch (error) {
      this.fail(error);
    }
    if (this.chat.path === path) return;
    this.append({ kind: "note", tone: "warning", text: movedNote(this.chat.path) });
  }

  /** Stops what runs, saves what came, ends the engine. */
  async close(): Promise<void> {
    this.closed = true;
    this.running?.abort();
    await Promise.race([this.answering, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
    await this.engine.close();
  }

  private async run(view: AnswerView, signal: AbortSignal): Promise<{ reply: Reply; seed: number }> {
    const { sampling, maxTokens, overflow } = this.settings;
    const { jsonSchema, lookup } = this.options;
    const { family } = this.engine.facts;
    const { events, seed, promptTokens, contextSize } = await ask(
      this.engine,
      { kind: "messages", messages: this.chat.turns.map((turn) => turnMessage(turn, family)) },
      { conversation: this.conversation(), sampling, maxTokens, overflow, jsonSchema, lookup },
      signal,
    );
    this.store.dispatch({ type: "status", status: { contextUsed: promptTokens, contextSize, overflow } });
    for (;;) {
      const step = await events.next();
      if (step.done === true) return { reply: step.value, seed };
      const event = step.value;
      if (event.kind === "prompt") view.report(`reading the prompt, ${event.done} of ${event.total} tokens`);
      else if (event.kind === "dropped" || event.kind === "shifted")
        this.append({ kind: "note", tone: "warning", text: lossNote(event) });
      else view.write(event.kind, event.text);
    }
  }

  /** Saves an answer. Where nothing came, the question goes back into the input. */
  private async keep(turn: AnswerTurn): Promise<void> {
    if (turn.raw === "" && turn.finishReason === "interrupted") return this.takeBackQuestion();
    await this.save(() => this.chat.add(turn));
  }

  private async takeBackQuestion(): Promise<void> {
    const last = this.chat.turns.at(-1);
    if (last?.role !== "user") return;
    await this.save(() => this.chat.keepFirst(this.chat.turns.length - 1));
    if (this.store.state().editor.text === "") this.store.dispatch({ type: "set-input", text: last.text });
    this.store.dispatch({
      type: "notice",
      text: "stopped before the answer began; the message is back in the input",
    });
  }

  /** An answer whose engine died, as far as it was seen. */
  private async keepWhatCame({ text, thinking }: AnswerView): Promise<void> {
    if (text === "" && thinking === "") return;
    const format = this.engine.facts.family.chat?.thinking;
    const thoughts =
      thinking === "" || format === undefined ? "" : `${format.open}\n${thinking}\n${format.close}\n`;
    await this.keep({
      role: "assistant",
      text,
      thinking,
      raw: thoughts + text,
      startedInsideThinking: false,
      finishReason: "interrupted",
      family: this.engine.facts.family.name,
      model: this.engine.facts.name,
    });
  }

  private reportEnd({ document, result }: Reply): void {
    const { timings, usage, finish_reason } = document;
    this.store.dispatch({
      type: "status",
      status: {
        contextUsed: usage.prompt_tokens + usage.completion_tokens,
        tokensPerSecond: timings.tokens_per_second || undefined,
        firstTokenMs: result.firstTokenMs || undefined,
      },
    });
    const notes: Partial<Record<typeof finish_reason, string>> = {
      interrupted: "stopped",
      length: "the answer ends here because of max-tokens",
      overflow: fullNote("/set overflow shift"),
    };
    const note = notes[finish_reason];
    if (note !== undefined && (document.text !== "" || document.thinking !== "")) {
      this.append({ kind: "note", tone: finish_reason === "overflow" ? "warning" : "info", text: note });
    }
  }

  private async use(engine: ChatModel): Promise<void> {
    const old = this.engine;
    this.engine = engine;
    this.watch(engine);
    this.store.dispatch({ type: "status", status: { model: engine.facts.name, contextUsed: undefined } });
    await old.close();
    await this.refreshMemory();
  }

  /** An engine that ends by itself is an event of the screen, whatever is going on. */
  private watch(engine: ChatModel): void {
    void engine.session.ended.then(async () => {
      if (this.closed || engine !== this.engine) return;
      const isAnswering = this.running !== undefined;
      this.store.dispatch({ type: "phase", phase: "dead" });
      this.store.dispatch({ type: "status", status: { memoryBytes: undefined } });
      // an answer that was running says it itself
      if (isAnswering) return;
      await engine.session.tokenize("", { special: false }).catch((error: unknown) => this.fail(error));
    });
  }

  async refreshMemory(): Promise<void> {
    const { pid } = this.engine.session;
    const memoryBytes = pid === undefined ? undefined : await engineMemory(pid);
    this.store.dispatch({ type: "status", status: { memoryBytes } });
  }
}
