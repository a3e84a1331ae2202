import process from "node:process";

/** What says "no person looks at this": Ink reads it once, when it is loaded, and then draws only its last picture. */
const CI_VARIABLES = ["CI", "CONTINUOUS_INTEGRATION"];

/**
 * Loads the code of a screen, with React and Ink, so that it draws. A screen opens only where the output is a terminal:
 * somebody looks at it, whatever CI says. And React decides when it is loaded whether it checks itself, which makes it
 * several times slower and writes warnings meant for developers onto the user's terminal.
 */
export async function loadScreen<Screen>(load: () => Promise<Screen>): Promise<Screen> {
  process.env.NODE_ENV ??= "production";
  const before = CI_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of CI_VARIABLES) delete process.env[name];
  try {
    return await load();
  } finally {
    for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
  }
}
