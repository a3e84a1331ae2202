import type { ChalkInstance } from "chalk";

/** The styles of the screen, made once per colour level, so that equal styles are one object. */
export interface Palette {
  readonly strong: ChalkInstance;
  readonly emphasis: ChalkInstance;
  readonly struck: ChalkInstance;
  readonly code: ChalkInstance;
  readonly link: ChalkInstance;
  readonly heading: ChalkInstance;
  readonly dim: ChalkInstance;
  readonly user: ChalkInstance;
  readonly error: ChalkInstance;
  readonly warning: ChalkInstance;
  /** classes of highlight.js, without "hljs-" */
  readonly syntax: Readonly<Record<string, ChalkInstance>>;
}

export function createPalette(chalk: ChalkInstance): Palette {
  const keyword = chalk.magenta;
  const text = chalk.green;
  const number = chalk.yellow;
  const name = chalk.blue;
  const type = chalk.cyan;
  return {
    strong: chalk.bold,
    emphasis: chalk.italic,
    struck: chalk.strikethrough,
    code: chalk.cyan,
    link: chalk.underline,
    heading: chalk.bold.underline,
    dim: chalk.dim,
    user: chalk.bold,
    error: chalk.red,
    warning: chalk.yellow,
    syntax: {
      keyword,
      "selector-tag": keyword,
      "template-tag": keyword,
      "template-variable": name,
      built_in: type,
      type,
      class: type,
      "title.class_": type,
      literal: number,
      number,
      symbol: number,
      string: text,
      regexp: text,
      addition: text,
      deletion: chalk.red,
      comment: chalk.dim,
      quote: chalk.dim,
      doctag: chalk.dim,
      meta: chalk.dim,
      title: name,
      function: name,
      section: name,
      name,
      attr: name,
      attribute: name,
      variable: name,
      property: name,
      "selector-class": name,
      "selector-id": name,
    },
  };
}
