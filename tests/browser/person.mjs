// A person in a browser: the codes of the authenticator app, signing in, pictures, and a count of what the hands do.

import { createHmac } from "node:crypto";

/** What everybody chooses at first sign-in. */
export const PASSWORD = "kaede-no-ha-ga-chiru-made-27";
/** Seconds the collector's clock is ahead of this machine's; behind where negative. */
const AHEAD = Number(process.env.AHEAD ?? 0);
const codes = new Map();

/** The six digits an authenticator app shows for `secret`; a code is good once, so the next step follows a used one. */
export function code(secret) {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  let step = Math.floor(Date.now() / 1000 / 30 + AHEAD / 30);
  if (step <= (codes.get(secret) ?? 0)) step = codes.get(secret) + 1;
  codes.set(secret, step);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = mac[19] & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1000000).padStart(6, "0");
}

/** Starts headless Chromium. */
export function launchOptions() {
  return {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
  };
}

/** Opens a window of its own for one person; what the browser complains about is gathered. */
export async function session(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "ja-JP", timezoneId: "Asia/Tokyo", acceptDownloads: true, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

/** Leaves a picture of the whole page. */
export async function shot(page, name) {
  await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
  console.log(`${name}: ${page.url()}`);
}

/** Signs in for the first time: one-time password, own password, second factor. Returns the second factor's secret. */
export async function signInFirst(page, console_, login, oneTime, picture = async () => {}) {
  await page.goto(console_);
  await picture("01-sign-in");
  await page.fill("#login", login);
  await page.fill("#password", oneTime);
  await page.click("main button");
  await picture("02-password");
  await page.fill("#old", oneTime);
  await page.fill("#new", PASSWORD);
  await page.fill("#again", PASSWORD);
  await page.click("main button");
  const secret = (await page.textContent(".once")).replace(/\s/g, "");
  await picture("03-second-factor");
  await page.fill("#code", code(secret));
  await page.click("main button");
  await page.waitForSelector("nav");
  return secret;
}

/** Counts what a person's hands do: every click, and every field that is typed into. */
export class Hands {
  #done = [];

  constructor(page) {
    this.page = page;
  }

  get count() {
    return this.#done.length;
  }

  get told() {
    return this.#done;
  }

  async click(what, selector) {
    this.#done.push(`click ${what}`);
    await this.page.click(selector);
  }

  async type(what, selector, text) {
    this.#done.push(`type ${what}`);
    await this.page.fill(selector, text);
  }
}
