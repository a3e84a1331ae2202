import { UserError } from "../errors.js";
import { readConfigObject } from "./common-config.js";
import { csm } from "./csm/index.js";
import { cwm } from "./cwm/index.js";
import type { CheckpointTexts, Family, ForeignLayout } from "./family.js";
import { glm } from "./glm/index.js";
import { escapeForMessage } from "../formats/escape.js";

/** Every family parley knows. */
export const FAMILIES: readonly Family[] = [cwm, glm, csm];

/**
 * Which family a checkpoint belongs to, and which of its architectures it is, by config.json alone.
 * @throws UserError CONFIG_MISSING (exit 66), CONFIG_JSON, FOREIGN_LAYOUT, UNSUPPORTED_ARCH (exit 65)
 */
export function familyOfCheckpoint(texts: CheckpointTexts): { family: Family; architecture: string } {
  const { file, object } = readConfigObject(texts);
  const listed = object.get("architectures");
  const architecture = Array.isArray(listed) && listed.length === 1 ? (listed[0] as unknown) : undefined;
  const family = FAMILIES.find(({ architectures }) => architectures.some((name) => name === architecture));
  if (family) return { family, architecture: architecture as string };
  refuseForeignLayout(file, ({ isConfig }) => isConfig(object));
  const known = FAMILIES.flatMap((one) => one.architectures);
  if (typeof architecture === "string") {
    throw unsupported(
      `${file}: "architectures" holds "${escapeForMessage(architecture, 60)}", which parley does not know`,
      known,
    );
  }
  throw unsupported(`${file}: "architectures" is no list of one name`, known);
}

/**
 * Refuses weights in a layout that parley does not read, saying which files to fetch.
 * @param label how errors name the checkpoint
 * @throws UserError FOREIGN_LAYOUT (exit 65)
 */
export function refuseForeignTensors(label: string, names: readonly string[]): void {
  refuseForeignLayout(label, ({ isTensor }) => names.some(isTensor));
}

function refuseForeignLayout(label: string, applies: (layout: ForeignLayout) => boolean): void {
  const layout = FAMILIES.flatMap((family) => family.foreignLayout ?? []).find(applies);
  if (!layout) return;
  throw new UserError("badFile", "FOREIGN_LAYOUT", `${label}: ${layout.title}`, layout.hint);
}

/**
 * The family of a GGUF file by its `general.architecture`.
 * @param file how errors name the file
 * @throws UserError UNSUPPORTED_ARCH (exit 65)
 */
export function familyOfGguf(architecture: string, file: string): Family {
  const family = FAMILIES.find(({ ggufArchitecture }) => ggufArchitecture === architecture);
  if (family) return family;
  const found = `${file}: the architecture is "${escapeForMessage(architecture, 60)}", which parley does not know`;
  throw unsupported(
    found,
    FAMILIES.map((known) => known.ggufArchitecture),
  );
}

function unsupported(found: string, known: readonly string[]): UserError {
  return new UserError("badFile", "UNSUPPORTED_ARCH", found, `It knows ${known.join(", ")}.`);
}
