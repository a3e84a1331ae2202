import { columnsOf, graphemesOf } from "../input/graphemes.js";
import { paint, type Span } from "./span.js";

export interface WrapOptions {
  /** columns of the terminal, indentation included */
  readonly columns: number;
  /** what the first row and the others begin with */
  readonly indent?: readonly [string, string];
  /** "words": lines break between words; "cells": wherever the row is full, as for code */
  readonly at?: "words" | "cells";
}

/**
 * Breaks styled text into rows of a terminal, greedily. Words longer than a row are broken between graphemes; white
 * space at a break is dropped. A grapheme wider than the terminal gets a row of its own.
 * @returns the rows with their escape codes; every row carries its own, so rows can be shown alone
 */
export function wrapSpans(spans: readonly Span[], options: WrapOptions): string[] {
  const rows = new Rows(options);
  const byWord = options.at !== "cells";
  for (const span of spans) {
    for (const [i, line] of span.text.split("\n").entries()) {
      if (i > 0) rows.breakLine();
      if (!byWord) rows.putCells({ ...span, text: line });
      else
        for (const word of line.match(/[^\S\u00a0\u202f]+|[\S\u00a0\u202f]+/g) ?? [])
          rows.putWord({ ...span, text: word });
    }
  }
  return rows.end();
}

/** Words that touch across a change of style, such as **bold**,: they must not be torn apart. */
class Rows {
  private readonly rows: string[] = [];
  private row: Span[] = [];
  private width = 0;
  /** the word that goes on as long as no white space comes */
  private word: Span[] = [];
  private wordWidth = 0;
  private space: Span | undefined;
  private readonly first: string;
  private readonly rest: string;

  constructor({ columns, indent = ["", ""] }: WrapOptions) {
    // with no room beside it, indentation is left out
    const fits = Math.max(columnsOf(indent[0]), columnsOf(indent[1])) <= columns - 4;
    [this.first, this.rest] = fits ? indent : ["", ""];
    this.columns = Math.max(1, columns - Math.max(columnsOf(this.first), columnsOf(this.rest)));
  }

  private readonly columns: number;

  putWord(span: Span): void {
    if (/^\s/.test(span.text)) {
      this.placeWord();
      if (this.width > 0) this.space = { ...span, text: span.text.replaceAll("\t", "  ") };
      else if (this.rows.length === 0) this.append({ ...span, text: span.text.replaceAll("\t", "  ") });
    } else {
      this.word.push(span);
      this.wordWidth += columnsOf(span.text);
    }
  }

  putCells({ text, style }: Span): void {
    for (const piece of cut(text.replaceAll("\t", "    "), this.columns, this.columns - this.width)) {
      if (this.width > 0 && this.width + columnsOf(piece) > this.columns) this.newRow();
      this.append({ text: piece, style });
    }
  }

  breakLine(): void {
    this.placeWord();
    this.space = undefined;
    this.newRow();
  }

  end(): string[] {
    this.placeWord();
    this.newRow();
    return this.rows;
  }

  private placeWord(): void {
    if (this.word.length === 0) return;
    const spaceWidth = this.space === undefined ? 0 : columnsOf(this.space.text);
    if (this.width + spaceWidth + this.wordWidth <= this.columns) {
      if (this.space !== undefined) this.append(this.space);
      for (const part of this.word) this.append(part);
    } else {
      if (this.width > 0) this.newRow();
      for (const part of this.word) this.putCells(part);
    }
    this.word = [];
    this.wordWidth = 0;
    this.space = undefined;
  }

  private append(span: Span): void {
    this.row.push(span);
    this.width += columnsOf(span.text);
  }

  private newRow(): void {
    const indent = this.rows.length === 0 ? this.first : this.rest;
    this.rows.push(indent + merged(this.row).map(paint).join(""));
    this.row = [];
    this.width = 0;
  }
}

/** A text in pieces of at most `columns` columns, the first of at most `first`. */
function cut(text: string, columns: number, first: number): string[] {
  if (columnsOf(text) <= first) return text === "" ? [] : [text];
  const pieces: string[] = [];
  let piece = "";
  let width = 0;
  let room = first;
  for (const grapheme of graphemesOf(text)) {
    const own = columnsOf(grapheme);
    if (width + own > room && (piece !== "" || room < columns)) {
      if (piece !== "") pieces.push(piece);
      piece = "";
      width = 0;
      room = columns;
    }
    piece += grapheme;
    width += own;
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}

/** Neighbours in one style as one span: fewer escape codes. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last !== undefined && last.style === span.style) {
      result[result.length - 1] = { text: last.text + span.text, style: span.style };
    } else result.push(span);
  }
  return result;
}
