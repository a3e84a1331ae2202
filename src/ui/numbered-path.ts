import path from "node:path";

/** "out.wav" for the third of twelve becomes "out-03.wav"; a single one keeps its name. */
export function numberedPath(file: string, index: number, count: number): string {
  if (count === 1) return file;
  const { dir, name, ext } = path.parse(file);
  return path.join(dir, `${name}-${String(index + 1).padStart(String(count).length, "0")}${ext}`);
}
