import { UserError } from "../../engine/errors.js";
import type { OverflowPolicy } from "../../engine/chat/overflow.js";
import type { SamplingRequest } from "../chat-options.js";
import { DEFAULT_SPEECH_MODEL } from "../speech-flags.js";

/** What /set, /think and /nothink change. */
export interface Settings {
  readonly sampling: SamplingRequest;
  readonly maxTokens: number | undefined;
  readonly overflow: OverflowPolicy;
  readonly thinking: boolean;
  readonly keepThoughts: boolean;
  /** MODEL that /speak reads aloud with */
  readonly speechModel: string;
}

interface Setting {
  readonly name: string;
  readonly meaning: string;
  readonly show: (settings: Settings) => string;
  readonly change: (settings: Settings, value: string) => Settings;
}

function sampling(
  name: string,
  key: keyof SamplingRequest,
  { meaning, least, most, whole = false }: { meaning: string; least: number; most: number; whole?: boolean },
): Setting {
  return {
    name,
    meaning,
    show: (settings) => shown(settings.sampling[key]),
    change: (settings, value) => ({
      ...settings,
      sampling: { ...settings.sampling, [key]: readNumber(name, value, { least, most, whole }) },
    }),
  };
}

/** Everything /set knows, by the names of the command line's flags; "default" takes a setting back. */
export const SETTINGS: readonly Setting[] = [
  sampling("temp", "temp", { meaning: "temperature; 0 takes the likeliest token", least: 0, most: 100 }),
  sampling("top-k", "topK", { meaning: "0 keeps all", least: 0, most: 2 ** 31 - 1, whole: true }),
  sampling("top-p", "topP", { meaning: "0 to 1", least: 0, most: 1 }),
  sampling("min-p", "minP", { meaning: "0 to 1", least: 0, most: 1 }),
  sampling("repeat-penalty", "repeatPenalty", { meaning: "1 is off", least: 0.01, most: 100 }),
  sampling("seed", "seed", {
    meaning: "the same seed gives the same answer",
    least: 0,
    most: 2 ** 32 - 1,
    whole: true,
  }),
  {
    name: "max-tokens",
    meaning: "longest answer in tokens",
    show: ({ maxTokens }) => shown(maxTokens),
    change: (settings, value) => ({
      ...settings,
      maxTokens: readNumber("max-tokens", value, { least: 0, most: 2 ** 31 - 1, whole: true }),
    }),
  },
  {
    name: "overflow",
    meaning: "error, trim or shift: what happens when the context is full",
    show: ({ overflow }) => overflow,
    change: (settings, value) => ({
      ...settings,
      overflow: oneOf("overflow", value === "default" ? "error" : value, ["error", "trim", "shift"]),
    }),
  },
  {
    name: "keep-thoughts",
    meaning: "on or off: leave the reasoning of earlier answers in the conversation",
    show: ({ keepThoughts }) => (keepThoughts ? "on" : "off"),
    change: (settings, value) => ({
      ...settings,
      keepThoughts: oneOf("keep-thoughts", value === "default" ? "on" : value, ["on", "off"]) === "on",
    }),
  },
  {
    name: "speech-model",
    meaning: "the model /speak reads aloud with, for example sesame/csm-1b",
    show: ({ speechModel }) => speechModel,
    change: (settings, value) => ({
      ...settings,
      speechModel: value === "default" ? DEFAULT_SPEECH_MODEL : value,
    }),
  },
];

/** @throws UserError SETTING_UNKNOWN, SETTING_VALUE (exit 2) */
export function changeSetting(settings: Settings, name: string, value: string): Settings {
  const setting = SETTINGS.find((known) => known.name === name.replace(/^--/, "").replaceAll("_", "-"));
  if (setting !== undefined) return setting.change(settings, value);
  const names = SETTINGS.map((known) => known.name).join(", ");
  throw new UserError("usage", "SETTING_UNKNOWN", `There is no setting ${name}.`, `There are: ${names}.`);
}

function readNumber(
  name: string,
  text: string,
  { least, most, whole }: { least: number; most: number; whole: boolean },
): number | undefined {
  if (text === "default") return undefined;
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "a whole number" : "a number";
  throw new UserError(
    "usage",
    "SETTING_VALUE",
    `${name} expects ${kind} from ${least} to ${most}, found "${text.slice(0, 40)}".`,
  );
}

function oneOf<Choice extends string>(name: string, text: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UserError(
    "usage",
    "SETTING_VALUE",
    `${name} expects ${choices.join(" or ")}, found "${text.slice(0, 40)}".`,
  );
}

function shown(value: number | undefined): string {
  return value === undefined ? "default" : String(value);
}
