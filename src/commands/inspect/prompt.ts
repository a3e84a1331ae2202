import { Args, Flags } from "@oclif/core";
import { parseMessages } from "../../engine/chat/parse-messages.js";
import { TemplateRenderer } from "../../engine/chat/template-renderer.js";
import { assemblePrompt } from "../../engine/chat/prompt.js";
import { renderConversation } from "../../engine/client/render-conversation.js";
import { UserError } from "../../engine/errors.js";
import type { ChatMessage } from "../../engine/families/chat-behaviour.js";
import { parseStrictJson } from "../../engine/formats/strict-json.js";
import { modelFlags } from "../../ui/model-flags.js";
import { openTextModel } from "../../ui/open-text-model.js";
import { readPromptFile } from "../../ui/read-prompt.js";
import { textOrStdin } from "../../ui/read-prompt.js";
import { safeText } from "../../ui/safe-text.js";
import { BaseCommand } from "../../ui/base-command.js";

export default class InspectPrompt extends BaseCommand {
  static override summary = "show the prompt a conversation becomes, and its token ids";
  static override description =
    "The model's own chat template is rendered; only what the template itself writes becomes special tokens.";
  static override examples = [
    '<%= config.bin %> <%= command.id %> facebook/cwm "hello"',
    "<%= config.bin %> <%= command.id %> ./glm-4-9b-chat-hf --messages chat.json --json",
  ];
  static override args = {
    model: Args.string({
      ignoreStdin: true,
      name: "MODEL",
      required: true,
      description: "file, folder, Hub id or bundled name",
    }),
    text: Args.string({
      ignoreStdin: true,
      name: "TEXT",
      description: "one message of the user; - means stdin",
    }),
  };
  static override flags = {
    messages: Flags.string({
      helpValue: "FILE.json",
      description: 'a list such as [{"role": "user", "content": "hi"}]',
    }),
    system: Flags.string({
      char: "s",
      description: "system prompt (default with TEXT: the family's own; empty: none)",
    }),
    think: Flags.boolean({
      allowNo: true,
      default: true,
      description: "the template's switch for reasoning",
    }),
    "keep-thoughts": Flags.boolean({
      allowNo: true,
      default: true,
      description: "leave the reasoning of earlier answers in",
    }),
    ...modelFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(InspectPrompt);
    const { messages, tools } = await readConversation(args.text, flags.messages);
    const renderer = new TemplateRenderer();
    const { facts, session } = await openTextModel({
      model: args.model,
      flags,
      progress: this.progress(flags),
      signal: this.signal,
    });
    try {
      const conversation = {
        thinking: flags.think,
        keepThoughts: flags["keep-thoughts"],
        // a given conversation is shown as it is; a single text gets the system prompt that chat would use
        ...(flags.system === undefined && flags.messages === undefined ? {} : { system: flags.system ?? "" }),
      };
      const rendered = await renderConversation(
        renderer,
        facts,
        { messages, conversation, ...(tools ? { tools } : {}) },
        this.signal,
      );
      const ids = await assemblePrompt(rendered.segments, (text, special) => session.tokenize(text, special));
      if (flags.json) this.answerJson({ text: rendered.text, ids });
      else this.answer(`${safeText(rendered.text)}\n\n${ids.length} tokens: ${ids.join(" ")}`);
    } finally {
      await Promise.all([session.close(), renderer.close()]);
    }
  }
}

async function readConversation(text: string | undefined, file: string | undefined) {
  if ((text === undefined) === (file === undefined)) {
    throw new UserError(
      "usage",
      "USAGE",
      "Give either TEXT or --messages FILE.json.",
      'parley inspect prompt MODEL "hello"',
    );
  }
  if (text !== undefined)
    return {
      messages: [{ role: "user", content: await textOrStdin(text) }] as ChatMessage[],
      tools: undefined,
    };
  const json = parseStrictJson(await readPromptFile(file ?? ""), {
    file: file ?? "",
    code: "MESSAGES_FORMAT",
    hint: 'Write a list such as [{"role": "user", "content": "Hello"}].',
  });
  const { messages, tools } = parseMessages(json, file ?? "");
  return { messages, tools };
}
