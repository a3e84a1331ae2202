/** A part of an answer that will not change any more. */
export type Block =
  | {
      readonly kind: "markdown";
      readonly source: string;
      /** a blank row stands before it */
      readonly gap: boolean;
      /** columns it is moved to the right: a paragraph that belongs to a list item */
      readonly indent: number;
    }
  | {
      readonly kind: "code";
      readonly language: string;
      readonly code: string;
      /** code of the same block that has been shown before; it decides the highlighting */
      readonly before: string;
      readonly gap: boolean;
      readonly indent: number;
    };
