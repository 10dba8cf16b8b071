// Signs in for the first time at CONSOLE as LOGIN with PASSWORD, and looks at every kind of page from START on.

import { chromium } from "playwright-core";
import { launchOptions, session, signInFirst } from "./person.mjs";
import { sweepAll } from "./sweep.mjs";

const { CONSOLE, LOGIN, PASSWORD, START } = process.env;
const browser = await chromium.launch(launchOptions());
try {
  const { page, complaints } = await session(browser);
  await signInFirst(page, CONSOLE, LOGIN, PASSWORD);
  await sweepAll(page, CONSOLE, START);
  if (complaints.length) throw new Error(`the browser complained:\n${complaints.join("\n")}`);
} finally {
  await browser.close();
}
