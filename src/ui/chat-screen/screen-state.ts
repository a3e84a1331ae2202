import { edit, type EditAction, type EditorState, emptyEditor } from "./input/editor-state.js";
import {
  type HistorySearch,
  type HistoryState,
  historyOf,
  recall,
  remember,
  searchHistory,
} from "./input/history.js";
import { insertPaste, type PasteSlots } from "./input/paste-slots.js";
import type { StatusInfo } from "./status/status-info.js";
import type { Block } from "./transcript/block.js";
import type { TranscriptItem } from "./transcript/transcript-item.js";

/**
 * What the screen is busy with. working: a command that takes time; dead: the engine has ended; left: nothing is drawn
 * below the transcript any more.
 */
export type Phase = "idle" | "answering" | "stopping" | "working" | "dead" | "left";

/** The part of the answer that still changes. */
export interface LiveAnswer {
  /** what is going on while no text comes: "reading the prompt, 512 of 3000 tokens" */
  readonly activity?: string | undefined;
  /** reasoning that is shown: its last line */
  readonly thinking?: string | undefined;
  readonly block?: Block | undefined;
}

export interface ScreenState {
  readonly columns: number;
  readonly rows: number;
  readonly transcript: readonly TranscriptItem[];
  readonly live: LiveAnswer | undefined;
  readonly editor: EditorState;
  readonly slots: PasteSlots;
  readonly history: HistoryState;
  readonly search: HistorySearch | undefined;
  readonly phase: Phase;
  /** nothing is drawn below the transcript: another program has the terminal */
  readonly hidden: boolean;
  /** a line above the input that goes with the next key */
  readonly notice: string | undefined;
  /** Ctrl-C was pressed with nothing to stop or to clear: the next one leaves */
  readonly askedToLeave: boolean;
  readonly showThinking: boolean;
  readonly status: StatusInfo;
}

export type ScreenAction =
  | { readonly type: "resize"; readonly columns: number; readonly rows: number }
  | { readonly type: "edit"; readonly edit: EditAction }
  | { readonly type: "paste"; readonly text: string }
  /** the message was sent: an empty line again */
  | { readonly type: "sent"; readonly message: string }
  | { readonly type: "set-input"; readonly text: string; readonly cursor?: number }
  | { readonly type: "recall"; readonly direction: -1 | 1 }
  | { readonly type: "search"; readonly query: string; readonly before?: number }
  | { readonly type: "end-search"; readonly take: boolean }
  | { readonly type: "append"; readonly items: readonly TranscriptItem[] }
  | {
      readonly type: "live";
      readonly live: LiveAnswer | undefined;
      readonly finished?: readonly TranscriptItem[];
    }
  | { readonly type: "phase"; readonly phase: Phase }
  | { readonly type: "hide"; readonly hidden: boolean }
  | { readonly type: "notice"; readonly text: string | undefined }
  | { readonly type: "ask-to-leave" }
  | { readonly type: "toggle-thinking" }
  | { readonly type: "status"; readonly status: Partial<StatusInfo> };

export function initialState(options: {
  columns: number;
  rows: number;
  history: readonly string[];
  status: StatusInfo;
  transcript?: readonly TranscriptItem[];
}): ScreenState {
  return {
    columns: options.columns,
    rows: options.rows,
    transcript: options.transcript ?? [],
    live: undefined,
    editor: emptyEditor,
    slots: [],
    history: historyOf(options.history),
    search: undefined,
    phase: "idle",
    hidden: false,
    notice: undefined,
    askedToLeave: false,
    showThinking: false,
    status: options.status,
  };
}

/** Everything that happens on the screen. Pure: neither a terminal nor a model is needed to try it. */
export function reduceScreen(state: ScreenState, action: ScreenAction): ScreenState {
  switch (action.type) {
    case "resize":
      return { ...state, columns: action.columns, rows: action.rows };
    case "edit":
      return { ...calm(state), editor: edit(state.editor, action.edit) };
    case "paste": {
      const { inserted, slots } = insertPaste(state.slots, action.text);
      return { ...calm(state), slots, editor: edit(state.editor, { type: "insert", text: inserted }) };
    }
    case "sent":
      return { ...calm(state), ...blank(state), history: remember(state.history, action.message) };
    case "set-input": {
      const replaced = edit(state.editor, {
        type: "replace",
        text: action.text,
        ...(action.cursor === undefined ? {} : { cursor: action.cursor }),
      });
      return { ...calm(state), editor: replaced, slots: action.text === "" ? [] : state.slots };
    }
    case "recall":
      return recalled(state, action.direction);
    case "search":
      return {
        ...state,
        search: searchHistory(state.history.entries, action.query, action.before ?? Infinity),
      };
    case "end-search":
      return endSearch(state, action.take);
    case "append":
      return { ...state, transcript: [...state.transcript, ...action.items] };
    case "live": {
      const finished = action.finished ?? [];
      const transcript = finished.length === 0 ? state.transcript : [...state.transcript, ...finished];
      return { ...state, transcript, live: action.live };
    }
    case "phase":
      return { ...state, phase: action.phase };
    case "hide":
      return { ...state, hidden: action.hidden };
    case "notice":
      return { ...state, notice: action.text };
    case "ask-to-leave":
      return { ...state, askedToLeave: true, notice: "Ctrl-C again, or Ctrl-D, leaves" };
    case "toggle-thinking":
      return { ...state, showThinking: !state.showThinking };
    case "status":
      return { ...state, status: { ...state.status, ...action.status } };
  }
}

/** A key was pressed: what was said about the last one is over. */
function calm(state: ScreenState): ScreenState {
  return state.notice === undefined && !state.askedToLeave
    ? state
    : { ...state, notice: undefined, askedToLeave: false };
}

function blank({ editor }: ScreenState): Pick<ScreenState, "editor" | "slots" | "search"> {
  return { editor: { ...emptyEditor, killed: editor.killed }, slots: [], search: undefined };
}

function recalled(state: ScreenState, direction: -1 | 1): ScreenState {
  const found = recall(state.history, direction, state.editor.text);
  if (found === undefined) return calm(state);
  return {
    ...calm(state),
    history: found.history,
    editor: edit(state.editor, { type: "replace", text: found.text }),
  };
}

function endSearch(state: ScreenState, take: boolean): ScreenState {
  const found = state.search?.found;
  const text = found === undefined ? undefined : state.history.entries[found];
  if (!take || text === undefined) return { ...state, search: undefined };
  return { ...state, search: undefined, editor: edit(state.editor, { type: "replace", text }) };
}
