import { expect, it } from "vitest";
import { Curtain } from "../../../src/ui/chat-screen/curtain.js";

it("gives the terminal away only when the screen is off it, and is not misled by a frame from before", async () => {
  const events: string[] = [];
  const curtain = new Curtain({
    stdin: { setRawMode: (on) => events.push(on ? "raw" : "cooked") },
    hide: (hidden) => events.push(hidden ? "hide" : "show"),
    leave: () => events.push("leave"),
    enter: () => events.push("enter"),
  });
  const lent = curtain.lend(() => {
    events.push("used");
    return 7;
  });
  curtain.drawn({ isEmpty: false });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(events).toEqual(["hide"]);
  curtain.drawn({ isEmpty: true });
  while (!events.includes("show")) await new Promise(setImmediate);
  curtain.drawn({ isEmpty: false });
  expect(await lent).toBe(7);
  expect(events).toEqual(["hide", "leave", "cooked", "used", "raw", "enter", "show"]);
});
