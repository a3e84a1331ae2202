import { createInterface } from "node:readline";
import { Args, type Interfaces } from "@oclif/core";
import type { ChatRequest, Reply, ReplyOptions } from "../engine/client/chat-session.js";
import type { ModelFacts } from "../engine/client/model-facts.js";
import { ExitCode, UserError } from "../engine/errors.js";
import { AnswerWriter } from "../ui/answer-writer.js";
import { chatFlags } from "../ui/chat-command-flags.js";
import { conversationFrom, samplingFrom, schemaFrom, tokenListFrom } from "../ui/chat-flags.js";
import type { ChatFile } from "../engine/chat/saved/chat-file.js";
import { ChatStore } from "../engine/chat/saved/chat-store.js";
import { turnMessage } from "../engine/chat/saved/turns.js";
import { answerTurn } from "../engine/client/answer-turn.js";
import { formatReference, parseModelReference } from "../engine/hub/model-reference.js";
import { safeLine } from "../ui/safe-text.js";
import { defaultContextSize, type SamplingRequest } from "../ui/chat-options.js";
import { movedNote } from "../ui/chat-notes.js";
import { ask, type ChatModel, openChatModel } from "../ui/chat-model.js";
import { showReply } from "../ui/show-reply.js";
import { describeReply } from "../ui/chat-stats.js";
import { loadScreen } from "../ui/load-screen.js";
import { DEFAULT_SPEECH_MODEL } from "../ui/speech-flags.js";
import { readPrompt } from "../ui/read-prompt.js";
import { reportError } from "../ui/report-error.js";
import { type LineRequest, parseRequestLine } from "../ui/request-line.js";
import { BaseCommand } from "../ui/base-command.js";

export default class Chat extends BaseCommand {
  static override summary = "ask a model and stream its answer";
  static override description = [
    "On a terminal, without a prompt: the chat screen. /help there explains it; chats save themselves.",
    "Otherwise the prompt comes from the words given, -p, -f, and standard input, which stands before the rest.",
    "stdout carries the answer; thinking, progress and statistics go to stderr.",
    "Text of yours never turns into special tokens, whatever it says.",
  ].join("\n");
  static override examples = [
    '<%= config.bin %> <%= command.id %> "Why is the sky blue?"',
    "git diff | <%= config.bin %> <%= command.id %> -m ./glm-4-9b-chat-hf Write a commit message",
    "<%= config.bin %> <%= command.id %> -m facebook/cwm --no-think --temp 0 --json -p hello",
    "<%= config.bin %> <%= command.id %> --jsonl < requests.jsonl > answers.jsonl",
    '<%= config.bin %> <%= command.id %> --raw "def fib(n):" -n 64',
    "<%= config.bin %> <%= command.id %> --continue",
    '<%= config.bin %> <%= command.id %> --continue "And in French?"',
  ];
  static override strict = false;
  static override args = {
    prompt: Args.string({
      ignoreStdin: true,
      name: "PROMPT",
      description: "what to ask; - reads standard input",
    }),
  };
  static override flags = chatFlags;

  async run(): Promise<void> {
    const { argv, flags, metadata } = await this.parse(Chat);
    const words = argv as string[];
    if (flags.jsonl || flags.raw || flags["prompt-tokens"] !== undefined) refuseSavedChat(flags);
    if (flags.jsonl) return this.answerLines(flags);
    if (flags["prompt-tokens"] !== undefined) {
      return this.answerOnce(
        { kind: "tokens", ids: tokenListFrom(flags["prompt-tokens"], "--prompt-tokens") },
        flags,
      );
    }
    const text = await readPrompt({ words, prompt: flags.prompt, file: flags.file, stdin: process.stdin });
    const saved = await openSavedChat(flags);
    // a chat goes on with its own model unless another one is named
    if (saved && metadata.flags.model?.setFromDefault === true) flags.model = saved.content.model;
    if (text === undefined && isScreenTerminal() && !flags.json && !flags.raw)
      return this.openScreen(flags, saved);
    if (text === undefined || text === "") {
      throw new UserError(
        "usage",
        "NO_PROMPT",
        "There is nothing to answer: no prompt was given.",
        'Write it after the command: parley chat "Why is the sky blue?"',
      );
    }
    if (saved) return this.answerSaved(saved, text, flags);
    await this.answerOnce(
      flags.raw ? { kind: "text", text } : { kind: "messages", messages: [{ role: "user", content: text }] },
      flags,
    );
  }

  /** One more turn of a saved chat: message and answer are saved when the answer is there. */
  private async answerSaved(saved: ChatFile, text: string, flags: ChatFlags): Promise<void> {
    const { path } = saved;
    if (flags.system !== undefined || flags["system-file"] !== undefined)
      await saved.setSystem((await conversationFrom(flags)).system);
    this.note(`going on with chat ${safeLine(saved.id)}, ${saved.turns.length} turns`, flags);
    const { system } = saved.content;
    await this.answerOnce(
      ({ family }) => ({
        kind: "messages",
        messages: [...saved.turns.map((turn) => turnMessage(turn, family)), { role: "user", content: text }],
      }),
      flags,
      {
        conversation: system === undefined ? {} : { system },
        keep: async (reply, facts) => {
          if (reply.raw === "" && reply.document.finish_reason === "interrupted") return;
          await saved.add({ role: "user", text });
          await saved.add(answerTurn(reply, facts));
        },
      },
    );
    if (saved.path !== path) this.note(movedNote(saved.path), flags);
  }

  private async answerOnce(
    request: ChatRequest | ((facts: ModelFacts) => ChatRequest),
    flags: ChatFlags,
    {
      conversation = {},
      keep,
    }: {
      conversation?: Partial<ReplyOptions["conversation"]>;
      keep?: (reply: Reply, facts: ModelFacts) => Promise<void>;
    } = {},
  ): Promise<void> {
    const defaults = await this.defaults(flags);
    await this.withModel(flags, async (model) => {
      const target = flags.thinking ?? (process.stderr.isTTY && !flags.quiet ? "stderr" : "hide");
      const writer = flags.json ? undefined : new AnswerWriter(target, this.colours(process.stderr));
      const { reply, seed } = await this.answerRequest(
        model,
        {
          request: typeof request === "function" ? request(model.facts) : request,
          sampling: {},
          conversation,
        },
        defaults,
        flags,
        writer,
      );
      if (flags.json) this.answerJson(reply.document);
      if (flags.stats) this.note(describeReply(reply, seed), flags);
      await keep?.(reply, model.facts);
    });
    this.signal.throwIfAborted();
  }

  /** The chat screen, on a terminal without a prompt. Its code is read while the model loads. */
  private async openScreen(flags: ChatFlags, saved: ChatFile | undefined): Promise<void> {
    const code = loadScreen(() => import("../ui/chat-screen/open-chat-screen.js"));
    const { conversation, sampling, jsonSchema } = await this.defaults(flags);
    const chats = new ChatStore();
    const { system } = conversation;
    const model = formatReference(await parseModelReference(flags.model));
    const chat = saved ?? chats.begin({ model, system });
    if (saved && system !== undefined) await saved.setSystem(system);
    const { openChatScreen } = await code;
    const engine = await openChatModel(flags.model, flags, {
      progress: this.progress(flags),
      signal: this.signal,
    });
    await openChatScreen({
      engine,
      chats,
      chat,
      jsonSchema,
      lookup: flags.lookup,
      settings: {
        sampling,
        maxTokens: flags["max-tokens"],
        overflow: flags.overflow,
        thinking: conversation.thinking,
        keepThoughts: conversation.keepThoughts,
        speechModel: DEFAULT_SPEECH_MODEL,
      },
      open: (model, { progress, signal }) => openChatModel(model, flags, { progress, signal }),
      openSpeech: async (model, { progress, signal }) => {
        const { openSpeechModel } = await import("../ui/open-speech-model.js");
        return openSpeechModel({ flags: { ...flags, model }, progress, signal });
      },
      contextSize: flags["ctx-size"] ?? defaultContextSize(engine.facts, 0, undefined),
      colourLevel: this.colours(process.stdout).level,
      signal: this.signal,
    });
    this.signal.throwIfAborted();
  }

  /** One load, one document out per line in. A request that fails is answered with an error document. */
  private async answerLines(flags: ChatFlags): Promise<void> {
    const defaults = await this.defaults(flags);
    let exitCode: number = ExitCode.ok;
    await this.withModel(flags, async (model) => {
      let number = 0;
      for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
        number++;
        if (line.trim() === "") continue;
        try {
          const { reply } = await this.answerRequest(model, parseRequestLine(line, number), defaults, flags);
          process.stdout.write(`${JSON.stringify(reply.document)}\n`);
        } catch (error) {
          if (this.signal.aborted) throw error;
          exitCode = reportError(error, ["--jsonl"]);
          // an engine that died answers no further line
          if (error instanceof UserError && (error.exit === "engineDied" || error.exit === "outOfMemory"))
            break;
        }
        if (this.signal.aborted) break;
      }
    });
    this.signal.throwIfAborted();
    process.exitCode = exitCode;
  }

  private async defaults(flags: ChatFlags): Promise<RequestDefaults> {
    return {
      sampling: samplingFrom(flags),
      conversation: await conversationFrom(flags),
      jsonSchema: await schemaFrom(flags),
    };
  }

  private async withModel(flags: ChatFlags, use: (model: ChatModel) => Promise<void>): Promise<void> {
    const { signal } = this;
    const model = await openChatModel(flags.model, flags, { progress: this.progress(flags), signal });
    try {
      await use(model);
    } finally {
      await model.close();
    }
  }

  private async answerRequest(
    model: ChatModel,
    line: LineRequest,
    defaults: RequestDefaults,
    flags: ChatFlags,
    writer?: AnswerWriter,
  ): Promise<{ reply: Reply; seed: number }> {
    const { events, seed } = await ask(
      model,
      line.request,
      {
        conversation: { ...defaults.conversation, ...line.conversation },
        sampling: { ...defaults.sampling, ...definedOnly(line.sampling) },
        maxTokens: line.maxTokens ?? flags["max-tokens"],
        overflow: flags.overflow,
        jsonSchema: defaults.jsonSchema,
        lookup: flags.lookup,
      },
      this.signal,
    );
    const note = (text: string): void => this.note(text, flags);
    return { reply: await showReply(events, { progress: this.progress(flags), note, writer }), seed };
  }
}

type ChatFlags = Interfaces.InferredFlags<typeof Chat.flags> &
  Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;

interface RequestDefaults {
  sampling: SamplingRequest;
  conversation: ReplyOptions["conversation"];
  jsonSchema: unknown;
}

/** A terminal on both sides that understands more than lines. */
function isScreenTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true && process.env.TERM !== "dumb";
}

/** @throws UserError NO_CHATS, CHAT_NOT_FOUND, CHAT_AMBIGUOUS (exit 66), CHAT_FILE (exit 65) */
async function openSavedChat(flags: ChatFlags): Promise<ChatFile | undefined> {
  if (flags.chat !== undefined) return new ChatStore().open(flags.chat);
  return flags.continue ? new ChatStore().newest() : undefined;
}

/** Requests that are no messages have no place in a conversation. */
function refuseSavedChat(flags: ChatFlags): void {
  if (!flags.continue && flags.chat === undefined) return;
  throw new UserError(
    "usage",
    "CHAT_NEEDS_MESSAGES",
    "--continue and --chat add a message to a saved chat; --jsonl, --raw and --prompt-tokens give something else.",
    "Leave one of the two out.",
  );
}

function definedOnly(sampling: SamplingRequest): SamplingRequest {
  return Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== undefined));
}
