import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type {
  Llama,
  LlamaContext,
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  LlamaModel,
} from "node-llama-cpp";
import { nodeLlamaCppFolder } from "../build/upstream-pin.js";
import type { NativeAddon, NativeSampler, SampledTokens } from "./native-addon.js";
import { notANumber } from "./not-a-number.js";

/*
 * The one file that touches what node-llama-cpp marks as internal. Its public getLlama() only loads binaries
 * from its own package folder; parley's engine lives in the user's cache, so the instance is made the way
 * getLlama() itself does it. The version is pinned exactly (ggml-patches/upstream.json), so this holds.
 */

interface LlamaInternals {
  _create(options: Record<string, unknown>): Promise<Llama>;
}

interface AddonContext {
  removeTokenCellsFromSequence(sequenceId: number, start: number, end: number): boolean;
  setThreads(threads: number): void;
  restoreCheckpoint(checkpoint: Checkpoint, lastPosition: number, sequenceId: number): Promise<boolean>;
}

/** The sliding layers' cache as it was at some position. */
interface Checkpoint {
  minPos: number;
  maxPos: number;
  /** bytes */
  size: number;
}

interface SequenceInternals {
  _sequenceId: number;
  _nextTokenIndex: number;
  _contextTokens: number[];
  _context: { _ctx: AddonContext };
  _checkpoints: {
    _checkpoints: readonly (readonly [string | undefined, Checkpoint])[];
    /** drops those behind a position */
    pruneFromEndToIndex(position: number): void;
  };
  _takeIntervalCheckpointIfNeeded(): Promise<void> | undefined;
}

export interface EngineBinding {
  llama: Llama;
  addon: NativeAddon;
  threads: number;
}

const ADDON_FILE = "llama-addon.node";

/**
 * Loads the compiled engine into this process.
 * @param engineFolder folder that holds llama-addon.node and its libraries
 * @param gpu          backend it was compiled for
 * @throws the dynamic loader's error when the engine does not fit this machine
 */
export async function loadEngine(
  engineFolder: string,
  gpu: "cuda" | "vulkan" | "metal" | false,
  threads: number,
  log: (level: LlamaLogLevel, message: string) => void,
): Promise<EngineBinding> {
  const addonFile = path.join(engineFolder, ADDON_FILE);
  const addon = loadAddon(engineFolder);

  const internals = path.join(nodeLlamaCppFolder(), "dist", "bindings", "Llama.js");
  const { Llama: LlamaClass } = (await import(pathToFileURL(internals).href)) as { Llama: LlamaInternals };
  const llama = await LlamaClass._create({
    bindings: addon,
    bindingPath: addonFile,
    buildType: "localBuild",
    buildMetadata: {
      buildOptions: {
        customCmakeOptions: {},
        gpu,
        llamaCpp: { repo: "ggml-org/llama.cpp", release: "pinned" },
      },
    },
    logger: log,
    logLevel: "debug",
    maxThreads: threads,
    vramPadding: (total: number) => Math.min(total * 0.08, 1.6 * 2 ** 30),
    ramPadding: 0,
    debug: false,
    numa: false,
    tempDir: false,
  });
  return { llama, addon, threads };
}

/** The native code alone, for work that needs no model. */
export function loadAddon(engineFolder: string): NativeAddon {
  return createRequire(import.meta.url)(path.join(engineFolder, ADDON_FILE)) as NativeAddon;
}

/** The AddonModel behind a LlamaModel, as parley's native classes take it. */
export function nativeModel(model: LlamaModel): object {
  return (model as unknown as { _model: object })._model;
}

/** The AddonContext behind a LlamaContext. */
export function nativeContext(context: LlamaContext): object {
  return (context as unknown as { _ctx: object })._ctx;
}

/** Sets how many threads the next evaluations use, those that parley starts itself included. */
export function setThreads(context: LlamaContext, threads: number): void {
  (nativeContext(context) as AddonContext).setThreads(threads);
}

/** The native state behind a grammar's evaluation state, as a sampler's configuration takes it. */
export function nativeGrammarState(state: LlamaGrammarEvaluationState): object {
  return (state as unknown as { _state: object })._state;
}

export interface SampleTokensOptions {
  stopTokens: Int32Array;
  maxTokens: number;
  budgetMs: number;
  probabilities: boolean;
  /** guess tokens from what came before, and have the model check several at once */
  lookup: boolean;
}

const NO_TOKENS = new Int32Array(0);

/**
 * Appends tokens to a sequence and samples (see NativeAddon.parleySampleTokens), and tells the sequence what its
 * cache then holds: everything but the last sampled token.
 * @throws UserError NOT_A_NUMBER (exit 65)
 */
export async function sampleTokens(
  addon: NativeAddon,
  sequence: LlamaContextSequence,
  sampler: NativeSampler,
  tokens: readonly number[],
  { lookup, ...options }: SampleTokensOptions,
): Promise<SampledTokens> {
  const internals = sequence as unknown as SequenceInternals;
  const sampled = await addon
    .parleySampleTokens(internals._context._ctx, sampler, {
      ...options,
      tokens: Int32Array.from(tokens),
      history: lookup ? Int32Array.from([...internals._contextTokens, ...tokens] as number[]) : NO_TOKENS,
      position: internals._nextTokenIndex,
      sequence: internals._sequenceId,
    })
    .catch((error: unknown) => {
      throw error instanceof Error && error.message === "logits are not numbers"
        ? notANumber("the model's logits are not numbers", error)
        : error;
    });
  internals._contextTokens.push(...tokens, ...sampled.tokens.subarray(0, -1));
  internals._nextTokenIndex += tokens.length + sampled.tokens.length - 1;
  await internals._takeIntervalCheckpointIfNeeded();
  return sampled;
}

/**
 * Drops cache cells that an aborted decode left behind the sequence's last counted token,
 * so that evaluation can go on from there.
 */
export function dropUncountedCells(sequence: LlamaContextSequence): void {
  const internals = sequence as unknown as SequenceInternals;
  internals._context._ctx.removeTokenCellsFromSequence(internals._sequenceId, internals._nextTokenIndex, -1);
}

/**
 * The oldest position a checkpoint holds. `minPos` is that of the whole cache; llama.cpp writes the cells that the last
 * one can see, no others (is_masked_swa in its state_write).
 */
function oldestOf({ minPos, maxPos }: Checkpoint, window: number): number {
  return Math.max(minPos, maxPos - window + 1);
}

/** How many of a checkpoint's tokens still begin the sequence, where not all of them do. */
const usableTokens = new WeakMap<Checkpoint, number>();

/**
 * Cuts a sequence back. Its checkpoints stay, which node-llama-cpp would give up.
 * @param keep tokens that shall stay
 * @returns false: the cells could not be removed
 */
export function cutSequence(sequence: LlamaContextSequence, keep: number): boolean {
  const internals = sequence as unknown as SequenceInternals;
  const { _context, _sequenceId } = internals;
  if (!_context._ctx.removeTokenCellsFromSequence(_sequenceId, keep, -1)) return false;
  holdFirst(internals, keep);
  return true;
}

/**
 * Cuts a sequence back with the help of a checkpoint of its sliding layers' cache: the newest that reaches back as far
 * as the window does. node-llama-cpp itself looks for one only where nothing at all is left of the cache.
 * @param keep tokens that shall stay; fewer stay where the checkpoint is older
 * @returns false: there is no such checkpoint, and the sequence is to be cleared
 */
export async function restoreCheckpoint(
  sequence: LlamaContextSequence,
  keep: number,
  window: number,
): Promise<boolean> {
  const internals = sequence as unknown as SequenceInternals;
  const usable = (checkpoint: Checkpoint) => Math.min(keep, usableOf(checkpoint));
  const found = checkpointsOf(internals).findLast((checkpoint) => {
    const next = usable(checkpoint);
    return next > 0 && oldestOf(checkpoint, window) <= Math.max(0, next - window + 1);
  });
  if (found === undefined) return false;
  const next = usable(found);
  const { _context, _sequenceId } = internals;
  if (!(await _context._ctx.restoreCheckpoint(found, next - 1, _sequenceId))) return false;
  holdFirst(internals, next);
  return true;
}

/**
 * Keeps the sliding layers' cache as it is now. Checkpoints of other tokens that reach as far or farther go: at the
 * same position node-llama-cpp would take one of them for this one, and keep none.
 */
export async function takeCheckpoint(sequence: LlamaContextSequence): Promise<void> {
  const internals = sequence as unknown as SequenceInternals;
  const position = internals._nextTokenIndex - 1;
  internals._checkpoints.pruneFromEndToIndex(position);
  const last = checkpointsOf(internals).at(-1);
  if (last !== undefined && last.maxPos === position) {
    if (usableOf(last) === position + 1) return;
    internals._checkpoints.pruneFromEndToIndex(position - 1);
  }
  await sequence.takeCheckpoint();
}

/** The newest checkpoint that begins the sequence as it is now: where it was taken, and its bytes. */
export function newestCheckpoint(
  sequence: LlamaContextSequence,
): { readonly tokens: number; readonly size: number } | undefined {
  const internals = sequence as unknown as SequenceInternals;
  const found = checkpointsOf(internals).findLast(
    (checkpoint) =>
      usableOf(checkpoint) === checkpoint.maxPos + 1 && checkpoint.maxPos < internals._nextTokenIndex,
  );
  return found && { tokens: found.maxPos + 1, size: found.size };
}

function holdFirst(internals: SequenceInternals, tokens: number): void {
  internals._contextTokens = internals._contextTokens.slice(0, tokens);
  internals._nextTokenIndex = tokens;
  for (const checkpoint of checkpointsOf(internals)) {
    usableTokens.set(checkpoint, Math.min(tokens, usableOf(checkpoint)));
  }
}

function checkpointsOf({ _checkpoints }: SequenceInternals): Checkpoint[] {
  return _checkpoints._checkpoints.map(([, checkpoint]) => checkpoint);
}

function usableOf(checkpoint: Checkpoint): number {
  return usableTokens.get(checkpoint) ?? checkpoint.maxPos + 1;
}
