// An approved report is handed in by telephone: chosen on a narrow screen, called by the sheet, recorded with its 受付番号.

import { shot } from "./person.mjs";

const OFFICE = "厚生労働省 医政局";
const RECEIPT = "医政-2022-77";

/** Chooses the office, reads the call sheet, records what they said, and looks whether the deadline counts as met. */
export async function handIn({ page, complaints }, { console_, report, incident }) {
  await page.goto(report);
  await page.click('a[href$="/deliveries"]');
  await shot(page, "delivery-01-choose");
  await page.click('form[action$="/deliveries"]:has(#organisation) input[name="way"][value="phone"]');
  await page.fill("#organisation", OFFICE);
  await page.fill("#address", "03-0000-9999");
  await page.click('form[action$="/deliveries"]:has(#organisation) button');
  await page.waitForURL(/\/deliveries\/[0-9a-f-]{36}/);
  const delivery = new URL(page.url()).pathname;
  await shot(page, "delivery-02-to-do");
  await page.click('a[href$="/sheet"]');
  await says(page, "main", "03-0000-9999");
  await shot(page, "delivery-03-call-sheet");
  await page.goto(console_ + delivery);
  await record(page, "");
  await page.waitForURL(/\/record$/);
  await says(page, "main", "応対した人を書いてください");
  complaints.length = 0; // The browser calls a refusal an error; here it was wanted.
  await shot(page, "delivery-04-nobody-named");
  await page.goto(console_ + delivery);
  await record(page, "当直 鈴木様");
  await page.waitForURL(/done=/);
  await says(page, "main", RECEIPT);
  await shot(page, "delivery-05-delivered");
  for (const [name, path] of [["06-report", new URL(report).pathname], ["07-deadlines", "/deadlines"], ["08-incident", incident]]) {
    await page.goto(console_ + path);
    await shot(page, `delivery-${name}`);
  }
  for (const [name, path] of [["09-delivery", delivery], ["10-sheet", `${delivery}/sheet`], ["11-choose", `${new URL(report).pathname}/deliveries`]]) {
    await page.goto(`${console_}/language/en?back=${path}`);
    await shot(page, `delivery-${name}-english`);
  }
}

async function record(page, person) {
  const form = 'form[action$="/record"]';
  await page.click(`${form} [name="outcome"][value="delivered"]`);
  await page.fill(`${form} #spoke_with`, person);
  await page.fill(`${form} #receipt`, RECEIPT);
  await page.click(`${form} button:not([name])`);
}

async function says(page, where, text) {
  const said = await page.textContent(where);
  if (!said.includes(text)) throw new Error(`${page.url()} does not say ${text}:\n${said}`);
}
