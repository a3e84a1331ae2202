import type { OverflowPolicy } from "../engine/chat/overflow.js";
import { TemplateRenderer } from "../engine/chat/template-renderer.js";
import {
  type ChatRequest,
  ChatSession,
  type Reply,
  type ReplyEvent,
  type ReplyOptions,
} from "../engine/client/chat-session.js";
import type { ModelFacts } from "../engine/client/model-facts.js";
import type { TextSession } from "../engine/client/text-session.js";
import { resolveSampling, type SamplingRequest } from "./chat-options.js";
import { type ContextFlags, ContextSizer } from "./context-sizer.js";
import { requireTextModel } from "./model-use.js";
import { openTextModel, type OpenTextModelOptions } from "./open-text-model.js";
import type { Progress } from "./progress.js";

/** A loaded model and what talks to it. */
export interface ChatModel {
  /** as the user named it */
  readonly name: string;
  readonly facts: ModelFacts;
  readonly session: TextSession;
  readonly chat: ChatSession;
  readonly contexts: ContextSizer;
  close(): Promise<void>;
}

/** @throws UserError as openTextModel(); CLASSIFIER_ONLY, SPEECH_ONLY (exit 65) */
export async function openChatModel(
  name: string,
  flags: OpenTextModelOptions["flags"] & ContextFlags,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<ChatModel> {
  const started = performance.now();
  const renderer = new TemplateRenderer();
  renderer.prepare();
  try {
    const { facts, session } = await openTextModel({
      model: name,
      flags,
      progress,
      signal,
      check: requireTextModel,
    });
    return {
      name,
      facts,
      session,
      chat: new ChatSession(session, renderer, performance.now() - started),
      contexts: new ContextSizer(session, flags),
      close: async () => {
        await Promise.all([session.close(), renderer.close()]);
      },
    };
  } catch (error) {
    await renderer.close();
    throw error;
  }
}

export interface AskOptions {
  readonly conversation: ReplyOptions["conversation"];
  /** what it leaves open comes from the checkpoint */
  readonly sampling: SamplingRequest;
  readonly maxTokens: number | undefined;
  readonly overflow: OverflowPolicy;
  readonly jsonSchema: unknown;
  /** guess tokens from what came before (GenerateParams) */
  readonly lookup: boolean;
}

/** A request that is being answered. */
export interface Asked {
  readonly events: AsyncGenerator<ReplyEvent, Reply>;
  readonly seed: number;
  readonly promptTokens: number;
  /** of the context, in tokens */
  readonly contextSize: number;
}

/**
 * Asks a model, in a context that has room for the request.
 * @throws UserError as ChatSession.promptTokens(); the events throw what ChatSession.run() throws
 */
export async function ask(
  { facts, chat, contexts }: ChatModel,
  request: ChatRequest,
  { conversation, sampling: asked, maxTokens, overflow, jsonSchema, lookup }: AskOptions,
  signal: AbortSignal,
): Promise<Asked> {
  const sampling = resolveSampling(facts, asked);
  const promptTokens = (await chat.promptTokens(request, conversation, signal)).length;
  const contextSize = await contexts.fit(promptTokens, maxTokens, signal);
  const options: ReplyOptions = {
    conversation,
    sampling,
    maxTokens,
    overflow,
    contextSize,
    lookup,
    ...(jsonSchema === undefined ? {} : { jsonSchema }),
  };
  return { events: chat.run(request, options, signal), seed: sampling.seed, promptTokens, contextSize };
}
