import { type ConversationOptions, prepareConversation } from "../chat/conversation.js";
import { renderPrompt, type RenderedPrompt } from "../chat/prompt.js";
import type { TemplateRenderer } from "../chat/template-renderer.js";
import { UserError } from "../errors.js";
import type { ChatData, ChatMessage } from "../families/chat-behaviour.js";
import type { ModelFacts } from "./model-facts.js";

/**
 * Renders a conversation with the model's own template.
 * @throws UserError NO_CHAT, NO_TEMPLATE, TEMPLATE_*
 */
export async function renderConversation(
  renderer: TemplateRenderer,
  facts: ModelFacts,
  request: {
    messages: readonly ChatMessage[];
    /** in the template's own form */
    tools?: readonly ChatData[];
    conversation: Omit<ConversationOptions, "template">;
    /** default true: the prompt ends where the model is to answer */
    addGenerationPrompt?: boolean;
  },
  signal?: AbortSignal,
): Promise<RenderedPrompt> {
  const { messages, tools, conversation, addGenerationPrompt = true } = request;
  const behaviour = facts.family.chat;
  if (!behaviour) {
    throw new UserError(
      "usage",
      "NO_CHAT",
      `${facts.path} is a ${facts.family.title} model, which does not chat.`,
      "Give a CWM or GLM model.",
    );
  }
  const template = facts.chatTemplate;
  if (template === undefined) {
    throw new UserError(
      "badFile",
      "NO_TEMPLATE",
      `${facts.path} has no chat template.`,
      "Complete plain text with --raw, or convert a checkpoint that has chat_template.jinja.",
    );
  }
  const prepared = prepareConversation(behaviour, messages, { ...conversation, template });
  return renderPrompt(
    renderer,
    {
      template,
      messages: prepared.messages,
      ...(tools ? { tools } : {}),
      addGenerationPrompt,
      specialTokens: {
        ...(facts.bosToken === undefined ? {} : { bos_token: facts.bosToken }),
        ...(facts.eosToken === undefined ? {} : { eos_token: facts.eosToken }),
      },
      variables: prepared.variables,
      roles: behaviour.roles,
    },
    { specials: facts.specialTokens, source: facts.path },
    signal,
  );
}
