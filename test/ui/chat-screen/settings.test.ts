import { describe, expect, it } from "vitest";
import { changeSetting, SETTINGS } from "../../../src/ui/chat-screen/settings.js";
import { DEFAULT_SETTINGS as settings } from "./default-settings.js";

describe("/set", () => {
  it.each([
    ["temp", "0.5"],
    ["top-k", "7"],
    ["top-p", "0.9"],
    ["min-p", "0.1"],
    ["repeat-penalty", "1.1"],
    ["seed", "4294967295"],
    ["max-tokens", "100"],
    ["overflow", "shift"],
    ["keep-thoughts", "off"],
    ["speech-model", "sesame/csm-1b"],
  ])("%s is changed, shown, and taken back with default", (name, value) => {
    const setting = SETTINGS.find((one) => one.name === name)!;
    const changed = changeSetting(settings, name, value);
    expect(changed).not.toEqual(settings);
    expect(setting.show(changed)).toBe(value);
    const back = changeSetting(changed, name, "default");
    expect(setting.show(back)).toBe(setting.show(settings));
    // the flag's spelling and underscores mean the same
    expect(changeSetting(settings, `--${name}`.replaceAll("-", "_").replace("__", "--"), value)).toEqual(
      changed,
    );
  });

  it.each([
    ["temp", "-1"],
    ["temp", ""],
    ["temp", "warm"],
    ["top-k", "1.5"],
    ["top-p", "2"],
    ["seed", "4294967296"],
    ["overflow", "sometimes"],
    ["keep-thoughts", "maybe"],
  ])("refuses %s %j and says what it expects", (name, value) => {
    expect(() => changeSetting(settings, name, value)).toThrow(/expects/);
  });

  it("names all settings where one is unknown", () => {
    expect(() => changeSetting(settings, "tmp", "1")).toThrow("There is no setting tmp");
  });
});
