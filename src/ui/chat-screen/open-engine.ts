import { TemplateRenderer } from "../../engine/chat/template-renderer.js";
import { ChatSession } from "../../engine/client/chat-session.js";
import type { ModelFacts } from "../../engine/client/model-facts.js";
import type { TextSession } from "../../engine/client/text-session.js";
import { type ContextFlags, ContextSizer } from "../context-sizer.js";
import { openTextModel, type OpenTextModelOptions } from "../open-text-model.js";
import { requireTextModel } from "../model-use.js";
import type { Progress } from "../progress.js";

/** A loaded model and what talks to it. */
export interface OpenEngine {
  /** as the user named it */
  readonly model: string;
  readonly facts: ModelFacts;
  readonly session: TextSession;
  readonly chat: ChatSession;
  readonly contexts: ContextSizer;
  close(): Promise<void>;
}

/** Opens a model for the screen. @throws UserError as openTextModel() */
export async function openEngine(
  model: string,
  flags: OpenTextModelOptions["flags"] & ContextFlags,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<OpenEngine> {
  const started = performance.now();
  const { facts, session } = await openTextModel({
    model,
    flags,
    progress,
    signal,
    check: requireTextModel,
  });
  const renderer = new TemplateRenderer();
  return {
    model,
    facts,
    session,
    chat: new ChatSession(session, renderer, performance.now() - started),
    contexts: new ContextSizer(session, flags),
    close: async () => {
      await Promise.all([session.close(), renderer.close()]);
    },
  };
}
